"""What each target writes, whole; and what an engine would do with it, whatever texts the pipeline holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.engines import Called, call_airflow, call_kfp
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
FILES = {"kfp": "kfp_pipeline.py", "airflow": "airflow_dag.py"}
ENGINES: dict[str, Callable[..., Called]] = {"kfp": call_kfp, "airflow": call_airflow}
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


@pytest.mark.parametrize("target", sorted(FILES))
def test_the_file_is_the_golden_one(target: str, golden: Callable[[str, str], None]) -> None:
    result = compiled(BOOK, targets=(target,))
    golden(f"targets/{FILES[target]}", result.files[f"pipelines/tea/{FILES[target]}"].decode())


@pytest.mark.parametrize("target", sorted(ENGINES))
def test_tasks_run_the_steps_and_close_the_pipeline(target: str, tmp_path: Path) -> None:
    called = _called(target, tmp_path)
    assert called.commands == {
        "load": ["nbmlops", "run", "pipelines/tea", "--only=load"],
        "left_part": ["nbmlops", "run", "pipelines/tea", "--only=left-part"],
        "right_part": ["nbmlops", "run", "pipelines/tea", "--only=right.part"],
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
    big = "parameter_7" if target == "kfp" else "größe"
    given = {"depth": 4, "rate": 0.5, "bold": False, own: "x=y, z", "months": "[3]", "limit": "5", big: 2}
    called = _called(target, tmp_path, **given)
    assert called.commands["register"][3:] == [
        *("-p", "depth=4"), *("-p", "rate=0.5"), *("-p", "bold=false"), *("-p", "name=x=y, z"), *("-p", "months=[3]"),
        *("-p", "limit=5"), *("-p", "größe=2"),
    ]  # fmt: skip


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


def _called(target: str, folder: Path, **given: object) -> Called:
    path = folder / "pipelines" / "tea" / FILES[target]
    path.parent.mkdir(parents=True)
    path.write_bytes(compiled(BOOK, targets=(target,)).files[f"pipelines/tea/{FILES[target]}"])
    return ENGINES[target](path, given)
