"""What each target writes, whole; and what an engine would do with it, whatever texts the pipeline holds."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from nbmlops.gate.verdict import Outcome, RuleResult, Verdict, verdict_to_json
from nbmlops.pipeline.demands import Demands, Resources, StepDemands
from tests.fakes.engines import Called, call_airflow, call_kfp, call_prefect, call_zenml
from tests.fakes.notebooks import compiled, tagged

PARAMETERS = """\
depth = 3  # of each tree
rate = 0.1
bold = True
name = "tea's \\"best\\""
months = [1, 2]
limit: int | None = None
größe = 1
"""
BOOK = tagged(
    f"parameters: {PARAMETERS}",
    "step:load: rows = [depth, rate, bold, name, months, limit, größe]",
    "step:left-part: left = rows[:2]",
    "step:right.part: right = rows[2:]",
    "step:gate: model = left + right\nX = [1]\n%mlops metric size 3\n%mlops gate\n%mlops register model --data X",
)
DEMANDS = Demands(
    steps={
        "load": StepDemands(2, 5.0, 60.0, Resources(1.5, "2GiB", 1)),
        "left-part": StepDemands(timeout=90.0),
    },
    schedule="30 6 * * 1",
    secrets=("API_TOKEN",),
)
NOTHING = Demands()
SUMMARY = Path(__file__).parents[4] / "templates" / "github" / "summary.py.txt"
FILES = {
    "kfp": "kfp_pipeline.py",
    "airflow": "airflow_dag.py",
    "prefect": "prefect_flow.py",
    "zenml": "zenml_pipeline.py",
}
ENGINES: dict[str, Callable[..., Called]] = {
    "kfp": call_kfp,
    "airflow": call_airflow,
    "prefect": call_prefect,
    "zenml": call_zenml,
}
PAYLOADS = [
    "${{ github.token }}",
    "{{$.inputs.parameters['x']}} {{ params.x }} {{{{",
    "`touch x` $(touch x) ${HOME} $HOME",
    "a'; touch x; '\" \\\" \\",
    "'''+exit()+'''\"\"\"+exit()+\"\"\"",
    "::set-output name=a::b %0A",
    "ünïcödé \u202e\u2066 emoji 🛫",
    "new\nline\r\x00\x1b",
    "-rf",
]


CI_FILES = {"gitlab": "gitlab-ci.yml", "jenkins": "Jenkinsfile", "docker": "compose.yaml"}


@pytest.mark.parametrize("target", sorted(CI_FILES))
def test_the_file_of_a_ci_system_is_the_golden_one(target: str, golden: Callable[[str, str], None]) -> None:
    result = compiled(BOOK, targets=(target,), demands=DEMANDS)
    golden(f"targets/{CI_FILES[target]}", result.files[f"pipelines/tea/{CI_FILES[target]}"].decode())


def test_the_workflow_of_independent_branches_is_the_golden_one(golden: Callable[[str, str], None]) -> None:
    result = compiled(BOOK, demands=DEMANDS)
    golden("targets/github.yml", result.files[".github/workflows/tea.yml"].decode())


def _hostile(target: str, payload: str) -> str:
    book = tagged("step:one: x = 1", "step:two: y = x", "step:three: z = x")
    folder = re.sub(r"[/\0\n\r\x1b]", "_", payload)
    changes = {"notebook": f"{folder}/n.ipynb", "out": f"{folder}/out", "root": folder, "branch": payload}
    result = compiled(book, targets=(target,), out_is_default=False, **changes)
    return result.files[f"{folder}/out/{CI_FILES[target]}"].decode()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_gitlab_reads_texts_of_users_as_values(payload: str) -> None:
    document = yaml.safe_load(_hostile("gitlab", payload))
    variables = document[".tea"]["variables"]
    folder = re.sub(r"[/\0\n\r\x1b]", "_", payload)
    assert variables == {
        "ROOT": {"value": folder, "expand": False},
        "NOTEBOOK": {"value": "n.ipynb", "expand": False},
        "PIPELINE": {"value": "out", "expand": False},
        "REGISTERS_ON": {"value": payload, "expand": False},
    }
    harmless = yaml.safe_load(_hostile("gitlab", "harmless"))
    assert {name: job for name, job in document.items() if name != ".tea"} == {
        name: job for name, job in harmless.items() if name != ".tea"
    }


@pytest.mark.parametrize("payload", PAYLOADS)
def test_jenkins_reads_texts_of_users_as_words_of_commands(payload: str) -> None:
    text = _hostile("jenkins", payload)
    assert text.isascii()
    folder = re.sub(r"[/\0\n\r\x1b]", "_", payload)
    place = f"./{folder}" if folder.startswith("-") else folder
    scripts = [_of_groovy(found).splitlines() for found in re.findall(r"sh '((?:[^'\\]|\\.)*)'", text)]
    assert [shlex.split(script[0]) for script in scripts] == [["cd", place]] * 5
    assert [shlex.split(script[-1]) for script in scripts[1:]] == [
        ["nbmlops", "run", "out", "--only=one", "$@"],
        ["nbmlops", "run", "out", "--only=two", "$@"],
        ["nbmlops", "run", "out", "--only=three", "--in-order", "$@"],
        ["nbmlops", "run", "out", "$@"],
    ]


def _of_groovy(text: str) -> str:
    """Reads a string as Groovy 2 does: first the escapes of Unicode, wherever they are, then those of strings."""
    plain = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    plain = re.sub(r"\\(134|.)", lambda found: {"134": "\\", "n": "\n", "r": "\r"}.get(found[1], found[1]), plain)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_compose_reads_texts_of_users_as_they_are(payload: str) -> None:
    document = yaml.safe_load(_hostile("docker", payload))
    assert document["services"]["one"]["entrypoint"] == ["nbmlops", "run", "out"]
    assert list(document["services"]) == ["one", "two", "three", "report"]


@pytest.mark.parametrize("target", sorted(FILES))
def test_the_file_is_the_golden_one(target: str, golden: Callable[[str, str], None]) -> None:
    result = compiled(BOOK, targets=(target,), demands=DEMANDS)
    golden(f"targets/{FILES[target]}", result.files[f"pipelines/tea/{FILES[target]}"].decode())


@pytest.mark.parametrize("target", sorted(ENGINES))
def test_tasks_run_the_steps_and_close_the_pipeline(target: str, tmp_path: Path) -> None:
    called = _called(target, tmp_path)
    assert called.commands == {
        "load": ["nbmlops", "run", "pipelines/tea", "--only=load"],
        "left_part": ["nbmlops", "run", "pipelines/tea", "--only=left-part"],
        "right_part": ["nbmlops", "run", "pipelines/tea", "--only=right.part", "--in-order"],
        "gate": ["nbmlops", "run", "pipelines/tea", "--only=gate"],
        "gate_": ["nbmlops", "run", "pipelines/tea", "--no-register"],
        "register": ["nbmlops", "run", "pipelines/tea"],
    }
    assert called.needs == {
        "load": [],
        "left_part": ["load"],
        "right_part": ["load"],
        "gate": ["left_part", "right_part"],
        "gate_": ["gate"],
        "register": ["gate_"],
    }
    assert set(called.folders.values()) <= {"", str(tmp_path)}


@pytest.mark.parametrize("target", sorted(ENGINES))
def test_values_that_differ_from_the_notebooks_are_passed_on(target: str, tmp_path: Path) -> None:
    own = "name_" if target == "kfp" else "name"
    big = "größe" if target == "airflow" else "parameter_7"
    given = {"depth": 4, "rate": 0.5, "bold": False, own: "x=y, z", "months": "[3]", "limit": "5", big: 2}
    called = _called(target, tmp_path, **given)
    assert called.commands["register"][3:] == [
        *("-p", "depth=4"), *("-p", "rate=0.5"), *("-p", "bold=false"), *("-p", "name=x=y, z"), *("-p", "months=[3]"),
        *("-p", "limit=5"), *("-p", "größe=2"),
    ]  # fmt: skip


def test_what_steps_ask_for_reaches_the_engines(tmp_path: Path) -> None:
    settings = {}
    for target in ENGINES:
        called = _called(target, tmp_path / target, demands=DEMANDS)
        settings[target] = called.settings["load"]
        if target != "kfp":
            name = "api-token" if target == "prefect" else "API_TOKEN"
            assert called.secrets["load"] == {"API_TOKEN": f"secret {name}"}
    assert settings["airflow"] == {
        "retries": 2,
        "retry_delay": timedelta(seconds=5),
        "retry_exponential_backoff": True,
        "execution_timeout": timedelta(seconds=120),
        "executor_config": None,
    }
    assert settings["prefect"] == {
        "retries": 2,
        "retry_delay_seconds": [5.0, 10.0],
        "timeout_seconds": 120.0,
        "tags": ["cpu=1.5", "memory=2048Mi", "nvidia.com/gpu=1"],
    }
    assert settings["zenml"] == {
        "retry": {"max_retries": 2, "delay": 5, "backoff": 2},
        "settings": {"resources": {"cpu_count": 1.5, "gpu_count": 1, "memory": "2048MiB"}},
    }
    assert settings["kfp"] == {
        "set_caching_options": [[False]],
        "secrets": [{"secret_name": "api-token", "secret_key_to_env": {"API_TOKEN": "API_TOKEN"}}],
        "set_retry": [[2, ("backoff_duration", "5s"), ("backoff_factor", 2.0)]],
        "set_cpu_request": [["1.5"]],
        "set_cpu_limit": [["1.5"]],
        "set_memory_request": [["2048Mi"]],
        "set_memory_limit": [["2048Mi"]],
        "set_accelerator_type": [["nvidia.com/gpu"]],
        "set_accelerator_limit": [["1"]],
    }


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("target", sorted(ENGINES))
def test_texts_of_users_are_data(target: str, payload: str, tmp_path: Path) -> None:
    book = tagged(f"parameters: p = {payload!r}  # {payload.split(chr(10), maxsplit=1)[0]!r}", "step:one: x = p")
    folder = re.sub(r"[/\0\n\r\x1b]", "_", payload)
    result = compiled(book, notebook=f"{folder}/n.ipynb", out=f"{folder}/out", root=folder, targets=(target,))
    path = tmp_path / "p" / "out" / FILES[target]
    path.parent.mkdir(parents=True)
    content = result.files[f"{folder}/out/{FILES[target]}"]
    path.write_bytes(content)
    assert b"{{" not in content
    assert b"${" not in content
    called = ENGINES[target](path, {})
    assert called.commands == {
        "one": ["nbmlops", "run", "out", "--only=one"],
        "report": ["nbmlops", "run", "out"],
    }
    assert _shown_back(called.shown["p"]) == _shown_back(payload)
    other = ENGINES[target](path, {"p": f"{payload}!"})
    assert other.commands["report"][3:] == ["-p", f"p={payload}!"]


def _shown_back(text: str) -> str:
    return re.sub(r"(?<={) (?={)", "", text)


def _called(target: str, folder: Path, demands: Demands = NOTHING, **given: object) -> Called:
    path = folder / "pipelines" / "tea" / FILES[target]
    path.parent.mkdir(parents=True)
    path.write_bytes(compiled(BOOK, targets=(target,), demands=demands).files[f"pipelines/tea/{FILES[target]}"])
    return ENGINES[target](path, given)


def test_the_summary_of_a_job_holds_the_verdict_as_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script of the workflow itself, on the document of a run whose gate said no."""
    result = RuleResult("a|b", "auc", 0.5, ">= 0.7", None, Outcome.FAIL, "0.5 is below 0.7 <b>")
    step = {"name": "load", "status": "executed", "seconds": 1.25, "error": None}
    run = {"status": "gate_rejected", "steps": [step], "metrics": {"auc": 0.5}, "model_version": None}
    folder = tmp_path / "runs" / "tea" / "1"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({**run, "verdict": verdict_to_json(Verdict(False, (result,)))}))
    monkeypatch.setenv("RUNS", str(folder.parent))
    monkeypatch.setenv("NAME", "tea")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    exec(compile(SUMMARY.read_text(), str(SUMMARY), "exec"), {"__name__": "__main__"})
    assert (tmp_path / "summary.md").read_text().splitlines() == [
        "## tea: gate_rejected",
        "",
        "| step | status | seconds |",
        "|---|---|---|",
        "| load | executed | 1.2 |",
        "",
        "| metric | value |",
        "|---|---|",
        "| auc | 0.5 |",
        "",
        r"**gate: FAIL \(0 of 1 rule passed\)**",
        "",
        "| outcome | rule | metric | value | threshold | baseline | reason |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        r"| FAIL | a\|b | auc | 0.5 | \>= 0.7 | \- | 0.5 is below 0.7 \<b\> |",
    ]
