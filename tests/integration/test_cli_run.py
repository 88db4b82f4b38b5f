"""The main job through the command, on a tiny notebook: run, no-op, rejection, challenger, promotion, interruption."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

Golden = Callable[[str, str], None]
ROOT = Path(__file__).parents[2]

IMPORTS = """import time

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

%load_ext nbmlops
%mlops track"""
LOAD = """rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(400, 3)), columns=['a', 'b', 'c'])
y = (X['a'] + noise * rng.normal(size=400) > 0).astype(int)
%mlops data X --name points"""
CELLS = [
    ([], "# Points\n\nTells the two kinds of points apart."),
    (["imports"], IMPORTS),
    (["parameters"], "noise = 1.0  # how hard it is\npause = 0"),
    (["step:load"], LOAD),
    (["step:train"], "time.sleep(pause)\nmodel = LogisticRegression().fit(X, y)"),
    (["step:evaluate"], "auc = roc_auc_score(y, model.predict_proba(X)[:, 1])\n%mlops metric auc"),
    ([], "%mlops gate"),
    ([], "%mlops register model --data X"),
]
RULES = """
[[gate.rules]]
name = "usable"
metric = "auc"
min = 0.6
reason = "below this nobody would use it"

[[gate.rules]]
name = "no worse than what is live"
metric = "auc"
baseline = "champion"
max_drop = 0.01
"""


def write_notebook(path: Path, cells: list[tuple[list[str], str]]) -> None:
    document = nbformat.v4.new_notebook()
    for number, (tags, source) in enumerate(cells):
        make = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
        document.cells.append(make(source, id=f"c{number}", metadata={"tags": tags} if tags else {}))
    document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(nbformat.writes(document))


@dataclass(frozen=True)
class Project:
    """A folder with a notebook, and the command as a person types it there."""

    folder: Path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "nbmlops", *arguments],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def document(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        done = self.command(*arguments, "--format", "json")
        return done.returncode, json.loads(done.stdout)

    def transcript(self, *arguments: str) -> str:
        """What a person sees on stdout, with what differs from run to run replaced."""
        done = self.command(*arguments)
        text = f"$ nbmlops {' '.join(arguments)}\n{done.stdout}--- exit code {done.returncode}\n"
        for pattern, shown in (
            (r"\b[0-9a-f]{64}\b", "SHA256"),
            (r"\b[0-9a-f]{32}\b", "ID"),
            (r"\d{8}T\d{6}Z-[0-9a-f]{6}", "RUN"),
            (r"(executed|failed) +\d+\.\d", r"\1  N.N"),
        ):
            text = re.sub(pattern, shown, text)
        return text

    def run_states(self) -> list[str]:
        """The status of all tracked runs, oldest first, read past MLflow."""
        with sqlite3.connect(self.folder / "mlflow.db") as store:
            rows = store.execute("SELECT status FROM runs ORDER BY start_time").fetchall()
        store.close()
        return [row[0] for row in rows]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    path = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": path, "CI": "true"}


def make_project(folder: Path, cells: list[tuple[list[str], str]], rules: str = RULES) -> Project:
    folder.mkdir()
    write_notebook(folder / "points.ipynb", cells)
    (folder / "nbmlops.toml").write_text(rules)
    project = Project(folder)
    compiled = project.command("compile", "points.ipynb")
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "work", CELLS)


def commit_all(folder: Path) -> str:
    """Returns the commit that holds everything in the folder."""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=me", "-c", "user.email=me@example.org")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
        ).stdout

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "all")
    return git("rev-parse", "HEAD").strip()


def statuses(document: dict[str, Any]) -> list[str]:
    return [step["status"] for step in document["steps"]]


@pytest.mark.slow
def test_the_life_of_a_model(project: Project, golden: Golden) -> None:
    story = [
        project.transcript("run", "pipelines/points"),
        project.transcript("run", "points"),
        project.transcript("run", "points", "-p", "noise=0.5"),
        project.transcript("promote", "points@challenger", "--reason", "less noise"),
        project.transcript("run", "points", "-p", "noise=30"),
        project.transcript("run", "points", "--judge"),
        project.transcript("gate"),
        project.transcript("register"),
        project.transcript("promote", "pionts", "--reason", "a typo"),
        project.transcript("promote", "points/2"),
        project.transcript("rollback", "points", "--reason", "too smooth"),
        project.transcript("audit", "verify"),
    ]
    golden("cli/run_life.txt", "\n".join(story))
    assert project.run_states() == ["FINISHED"] * 3


@pytest.mark.slow
def test_the_run_document_is_what_is_written_and_what_is_tracked(project: Project) -> None:
    commit = commit_all(project.folder)
    code, document = project.document("run", "points", "--no-register")
    assert document["lineage"]["git_commit"] == commit
    assert (code, document["status"], statuses(document)) == (0, "succeeded", ["executed"] * 3)
    assert document["model_version"] is None
    assert document["lineage"]["run_id"] == document["run_id"]
    assert list(document["lineage"]["data"]) == ["points"]
    assert all((project.folder / step["notebook"]).is_file() for step in document["steps"])
    written = json.loads((project.folder / document["folder"] / "run.json").read_text())
    assert written == {key: value for key, value in document.items() if key not in {"reused", "notes", "diagnostics"}}
    verdict = json.loads((project.folder / document["folder"] / "verdict.json").read_text())
    assert verdict == document["verdict"]
    artifacts = sorted(path.name for path in (project.folder / "mlartifacts").rglob("*") if path.is_file())
    notebooks = ["01_load.ipynb", "02_train.ipynb", "03_evaluate.ipynb"]
    assert artifacts == [*notebooks, "provenance.json", "run.json", "verdict.json"]

    code, again = project.document("run", "points")
    assert (code, statuses(again), again["reused"]) == (0, ["cached"] * 3, document["run_id"])
    assert again["model_version"] == {"name": "points", "version": "1", "aliases": ["champion"]}
    code, registered = project.document("register", document["run_id"])
    assert (code, registered["model_version"]) == (0, again["model_version"])
    assert project.run_states() == ["FINISHED"]


@pytest.mark.slow
def test_a_run_that_executes_nothing_loads_nothing_that_executes_or_tracks(project: Project) -> None:
    assert project.command("run", "points").returncode == 0
    parts = {"app.running.closing", "app.running.elsewhere", "app.running.start", "app.running.step_inputs"}
    parts |= {"runtime.handover.codecs", "runtime.schedule.turns", "runtime.store.shared_files"}
    parts |= {"registry.mlflow_registry", "tracking.mlflow_tracker", "tracking.redaction"}
    unneeded = {"nbmlops.analysis", "nbmlops.compiler", "nbmlops.notebook", *(f"nbmlops.{part}" for part in parts)}
    # A module that was moved would be missed here for ever.
    assert [name for name in sorted(unneeded) if importlib.util.find_spec(name) is None] == []
    unneeded |= {
        "concurrent.futures",
        "ctypes",
        "dataclasses",
        "email",
        "html",
        "importlib.metadata",
        "logging",
        "pickle",
    }
    program = (
        "import sys\nbefore = set(sys.modules)\nfrom nbmlops.cli.main import main\ncode = main(['run', 'points'])\n"
        "names = set(sys.modules) - before\n"
        "tops = {name.partition('.')[0] for name in names} - set(sys.stdlib_module_names)\n"
        "libraries = {n for n in tops if not n.startswith('_') and getattr(sys.modules[n], '__file__', '')}\n"
        f"loaded = [sorted({unneeded!r} & names), sorted(libraries - {{'nbmlops', 'typing_extensions'}})]\n"
        "print(code, *loaded, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "0 [] ['blake3', 'click', 'msgspec', 'xxhash', 'yaml']"


@pytest.mark.slow
def test_parts_of_a_pipeline_can_be_run(project: Project) -> None:
    code, first = project.document("run", "points", "--to", "train")
    assert (code, statuses(first)) == (0, ["executed", "executed", "skipped"])
    assert (first["verdict"], first["model_version"]) == (None, None)
    code, rest = project.document("run", "points", "--from", "train")
    assert (code, statuses(rest)) == (0, ["cached", "executed", "executed"])
    assert rest["metrics"].keys() == {"auc"}
    code, fault = project.document("run", "points", "--from", "trian")
    assert (code, fault["status"], fault["diagnostics"][0]["hint"]) == (2, "failed", "did you mean 'train'?")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "interrupted")]
)
def test_an_interrupted_run_is_killed_and_the_next_one_resumes(
    project: Project, number: signal.Signals, code: int, word: str
) -> None:
    command = [sys.executable, "-m", "nbmlops", "run", "points", "-p", "pause=60", "--format", "json"]
    process = subprocess.Popen(
        command, cwd=project.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "train: running" in line:
            break
    time.sleep(3)
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=60)
    document = json.loads(stdout)
    assert (process.returncode, document["status"]) == (code, word)
    assert statuses(document)[0] == "executed"
    assert project.run_states() == ["KILLED"]
    resumed, rest = project.document("run", "points", "-p", "pause=0")
    assert (resumed, statuses(rest)) == (0, ["cached", "executed", "executed"])


@pytest.mark.slow
def test_a_step_that_raises_names_cell_and_line(tmp_path: Path, golden: Golden) -> None:
    cells = [*CELLS[:4], (["step:train"], "depth = 3\n\nmodel = {}['tree']"), *CELLS[5:6]]
    project = make_project(tmp_path / "work", cells)
    golden("cli/run_raises.txt", project.transcript("run", "points"))
    assert project.run_states() == ["FAILED"]


@pytest.mark.slow
def test_without_rules_nothing_is_registered_and_a_rule_is_offered(tmp_path: Path, golden: Golden) -> None:
    project = make_project(tmp_path / "work", CELLS, rules="")
    golden("cli/run_without_rules.txt", project.transcript("run", "points"))


@pytest.mark.slow
def test_a_rule_on_a_metric_that_was_never_logged_fails(tmp_path: Path, golden: Golden) -> None:
    rules = '[[gate.rules]]\nname = "calibrated"\nmetric = "brier"\nmax = 0.2\n'
    project = make_project(tmp_path / "work", CELLS, rules)
    golden("cli/run_metric_never_logged.txt", project.transcript("run", "points"))


@pytest.mark.slow
def test_metrics_and_model_of_a_notebook_without_mlops_lines_come_from_the_configuration(tmp_path: Path) -> None:
    cells = [*CELLS[:1], (["imports"], CELLS[1][1].split("%load_ext")[0]), CELLS[2]]
    cells += [(tags, source.split("\n%mlops")[0]) for tags, source in CELLS[3:6]]
    rules = (
        '[pipelines.points]\nmetrics = { area = "auc" }\nmodel = "model"\ndata = "X"\nmodel_name = "dots"\n'
        '[[pipelines.points.gate.rules]]\nname = "usable"\nmetric = "area"\nmin = 0.6\n'
    )
    project = make_project(tmp_path / "work", cells, rules)
    code, document = project.document("run", "points")
    assert (code, list(document["metrics"])) == (0, ["area"])
    assert document["model_version"] == {"name": "dots", "version": "1", "aliases": ["champion"]}


BAD_INPUTS: dict[str, tuple[str, ...]] = {
    "no_such_pipeline": ("run", "pionts"),
    "unknown_parameter": ("run", "points", "-p", "nois=1"),
    "parameter_name_is_code": ("run", "points", "-p", "__import__('os').system('x')=1"),
    "parameter_without_value": ("run", "points", "-p", "noise"),
    "parameter_of_wrong_type": ("run", "points", "-p", "noise=loud"),
    "parameter_twice": ("run", "points", "-p", "noise=1", "-p", "noise=2"),
    "unknown_step": ("run", "points", "--to", "evalute"),
    "gate_before_run": ("gate",),
    "register_before_run": ("register", "points"),
    "promote_without_name": ("promote", "@champion"),
    "no_such_run": ("gate", "0" * 32),
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("bad") / "work", CELLS)


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_is_met_with_a_clear_error(compiled: Project, golden: Golden, name: str) -> None:
    done = compiled.command(*BAD_INPUTS[name])
    text = f"$ nbmlops {' '.join(BAD_INPUTS[name])}\n{done.stdout}"
    text += f"--- stderr\n{done.stderr}--- exit code {done.returncode}\n"
    golden(f"cli/bad_{name}.txt", text.replace(str(compiled.folder), "PROJECT"))
    assert not (compiled.folder / "runs").exists()


@pytest.mark.slow
def test_a_locked_store_stops_the_run_early(project: Project) -> None:
    holder = sqlite3.connect(project.folder / "mlflow.db")
    holder.execute("CREATE TABLE experiments (x)")
    holder.commit()
    holder.execute("BEGIN EXCLUSIVE")
    try:
        code, document = project.document("run", "points")
    finally:
        holder.close()
    assert (code, document["status"]) == (4, "failed")
    assert "is locked by another program" in document["diagnostics"][0]["message"]


SCORED = [
    (["imports"], "%load_ext nbmlops\n%mlops track"),
    (["parameters"], "depth = 1\nrate = 0.5"),
    (["step:load"], "rows = list(range(10))"),
    (["step:score"], "auc = len(rows) / (10 * depth) - rate / 10\n%mlops metric auc"),
    ([], "%mlops gate"),
]


@pytest.mark.slow
def test_a_sweep_judges_its_best_point_when_all_are_sound(tmp_path: Path) -> None:
    project = make_project(tmp_path / "work", SCORED, RULES)
    code, document = project.document("run", "points", "-p", "depth=2,0,1", "-p", "rate=1")
    found = [(point["status"], point["value"], point["cached"]) for point in document["points"]]
    assert (code, found) == (1, [("succeeded", 0.4, 0), ("failed", None, 1), ("succeeded", 0.9, 1)])
    assert (document["best"], document["run"]) == (2, None)
    assert document["points"][1]["error"] == "ZeroDivisionError: division by zero"
    folder = project.folder / document["folder"]
    assert json.loads((folder / "sweep.json").read_text())["points"] == document["points"]
    assert (folder / "sweep.html").read_text().startswith("<!DOCTYPE html>")
    with sqlite3.connect(project.folder / "mlflow.db") as store:
        children = store.execute("SELECT run_uuid, value FROM tags WHERE key = 'mlflow.parentRunId'").fetchall()
    store.close()
    assert sorted(children) == sorted((point["run_id"], document["run_id"]) for point in document["points"])
    assert sorted(project.run_states()) == ["FAILED", "FINISHED", "FINISHED", "FINISHED"]

    (project.folder / "sweep.toml").write_text("[parameters]\ndepth = { low = 1, high = 2 }\nrate = [1]\n")
    code, again = project.document("run", "points", "--sweep", "sweep.toml", "--best", "auc")
    assert (code, again["status"], again["run_id"], again["best"]) == (0, "succeeded", "", 0)
    assert [point["cached"] for point in again["points"]] == [2, 2]
    assert again["points"][0]["run_id"] == document["points"][2]["run_id"] == again["run"]["run_id"]
    assert again["run"]["verdict"]["passed"] is True

    rejected = project.command("run", "points", "-p", "depth=2,3", "-p", "rate=1")
    assert rejected.returncode == 3
    assert "the best point: depth=2" in rejected.stdout
    assert "gate: FAIL" in rejected.stdout
