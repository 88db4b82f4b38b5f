"""`nbmlops verify` on real notebooks with real kernels: what agrees, what differs, and who is to blame."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from msgspec.structs import replace

from nbmlops.app.verify import verify as verify_module
from nbmlops.app.verify.report import Status, Verification
from nbmlops.app.verify.verify import CellBegins, StageBegins, VerifyRequest, verify
from nbmlops.cli.main import main
from nbmlops.compiler.program import Compiled
from nbmlops.core.errors import UsageError

pytestmark = pytest.mark.slow

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "schemas" / "verify.json"

IMPORTS = """\
import random
import warnings

import matplotlib.pyplot as plt
import nbmlops
import numpy as np
import pandas as pd
"""
CLASSES = """\
class Box:
    def __init__(self, items):
        self.items = items

def total(box):
    return sum(box.items)
"""
ONE = """\
box = Box([1, 2, 3])
alias = box.items
frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]}, index=["p", "q", "r"])
base = np.arange(6.0)
view = base[1:3]
rng = np.random.default_rng(3)
names = {f"name {n}" for n in range(depth)}
number = np.float64(0.5)
np.random.seed(1)
fig, ax = plt.subplots(figsize=(1, 1))
ax.plot([1, 2])
print("box", box)
box
"""
TWO = """\
%%time
warnings.warn("careful")
ax.set_title("t")
alias.append(4)
view += 10
frame["a"] = frame["a"] * 2
draws = [rng.normal(), np.random.rand()]
nbmlops.metric("total", total(box))
frame
"""
THREE = """\
Path("written.txt").write_text("by the notebook")
print(base, list(names), draws, number, total(box), frame.shape, Path("data.txt").read_text())
fig
"""
CELLS = [
    (["parameters"], "depth = 5"),
    (["imports"], IMPORTS + "from pathlib import Path\n"),
    (["functions"], CLASSES),
    (["step:one"], ONE),
    (["step:two"], TWO),
    (["step:three"], THREE),
    ([], "%mlops gate"),
]


@pytest.fixture
def project(work: Path, notebook: Callable[..., None]) -> Path:
    """A project with a notebook that is hard to cut."""
    notebook(work / "tricky.ipynb", *CELLS)
    (work / "data.txt").write_text("beside the notebook")
    (work / "nbmlops.toml").write_text('[gate]\nrules = [{ metric = "total", min = 1 }]\n')
    return work


def run(path: str, cwd: Path, **options: Any) -> Verification:
    return verify(VerifyRequest(path, cwd, **options), lambda _: None)


def verdicts(found: Verification) -> dict[str, dict[str, str]]:
    """Step -> everything that is not equal, with its detail."""
    told: dict[str, dict[str, str]] = {}
    for step in found.steps:
        items = [(value.name, value.status, value.detail) for value in step.values]
        items += [(f"cell {cell.cell}", cell.status, cell.detail) for cell in step.outputs]
        items += [(f"{record.kind} {record.name}", record.status, record.detail) for record in step.logged]
        items += [("error", Status.DIFFERENT, step.error)] if step.error else []
        told[step.name] = {
            name: f"{status.value}: {detail}" for name, status, detail in items if status != Status.EQUAL
        }
    return told


def edited(monkeypatch: pytest.MonkeyPatch, edits: Mapping[str, Mapping[str, str]]) -> None:
    """Has verify run a pipeline whose modules are other than they were compiled: module -> old text -> new text."""
    compile_as_ever = verify_module.compile_notebook

    def compile_and_edit(*arguments: Any) -> Compiled:
        compiled = compile_as_ever(*arguments)
        files = dict(compiled.files)
        for module, texts in edits.items():
            (path,) = [name for name in files if name.endswith(f"/{module}.py") and "/tests/" not in name]
            text = files[path].decode()
            for old, new in texts.items():
                assert text.count(old) == 1, f"{module}: {old!r} stands there {text.count(old)} times"
                text = text.replace(old, new)
            files[path] = text.encode()
        return replace(compiled, files=files)

    monkeypatch.setattr(verify_module, "compile_notebook", compile_and_edit)


def test_a_notebook_that_is_hard_to_cut_agrees_with_its_pipeline(
    project: Path, contents: Callable[[Path], dict[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(project)
    reports = [f"--junit={project.parent / 'v.xml'}", f"--html={project.parent / 'v.html'}"]
    assert main(["verify", "tricky.ipynb", "-p", "depth=7", "--format", "json", *reports]) == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    document["seconds"] = sorted(document["seconds"])

    def equal(*names: str) -> list[dict[str, str]]:
        return [{"name": name, "status": "equal", "detail": ""} for name in names]

    def shown(cell: int, *removed: str) -> dict[str, Any]:
        return {"cell": cell, "status": "equal", "detail": "", "removed": list(removed)}

    def step(name: str, cell: int, names: tuple[str, ...], *outputs: dict[str, Any]) -> dict[str, Any]:
        found = {"name": name, "status": "equal", "cells": [cell], "values": equal(*names), "outputs": list(outputs)}
        return found | {"logged": [], "error": "", "reached": True}

    own = "the module of the notebook's own code"
    metric = {"kind": "metric", "name": "total", "status": "equal", "detail": ""}
    step_one = ("box", "alias", "frame", "base", "view", "rng", "names", "number", "fig", "ax")
    step_two = ("box", "frame", "base", "names", "number", "fig", "draws")
    assert document == {
        "schema": "nbmlops/verify/1",
        "status": "equal",
        "notebook": "tricky.ipynb",
        "pipeline": "tricky",
        "steps": [
            step("one", 4, step_one, shown(4, "memory addresses", own)),
            step("two", 5, step_two, shown(5, "times", "where code stands")) | {"logged": [metric]},
            step("three", 6, (), shown(6)) | {"cells": [6, 7]},
        ],
        "diagnostics": document["diagnostics"],
        "error": None,
        "counts": {
            "values": {"equal": 17, "different": 0, "nondeterministic": 0, "uncompared": 0},
            "outputs": {"equal": 3, "different": 0, "nondeterministic": 0, "uncompared": 0},
            "logged": {"equal": 1, "different": 0, "nondeterministic": 0, "uncompared": 0},
        },
        "joined": [],
        "notebook_runs": 1,
        "seconds": ["compare", "copy", "notebook", "pipeline"],
    }  # fmt: skip
    assert contents(project) == before  # what the notebook writes, it writes to a copy
    assert "running the pipeline" in told.err
    assert ET.parse(project.parent / "v.xml").getroot().get("failures") == "0"
    assert "<svg" in (project.parent / "v.html").read_text()


def test_whatever_the_pipeline_does_otherwise_is_found(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited(
        monkeypatch,
        {
            "one": {
                "alias = box.items": "alias = list(box.items)",
                "np.float64(0.5)": "0.5",
                'index=["p", "q", "r"]': 'index=["p", "q", "s"]',
                "default_rng(3)": "default_rng(4)",
                'print("box", box)': 'print("BOX", box)',
            },
            "two": {
                'frame["a"] * 2': 'frame["a"] * 3',
                'nbmlops.metric("total", total(box))': 'nbmlops.metric("total", total(box) + 1)',
                'warnings.warn("careful")': "pass",
            },
            "three": {"print(base": "1 / 0; print(base"},
        },
    )
    found = run("tricky.ipynb", project, once=True)
    told = verdicts(found)
    assert [found.status, int(found.exit_code), found.runs] == [Status.DIFFERENT, 5, 1]
    assert told["one"] == {
        "box": "different: shares objects with alias in the notebook, not in the pipeline",
        "alias": "different: shares objects with box in the notebook, not in the pipeline",
        "frame": "different: index: 1 of 3 rows differ, position 2: 'r' in the notebook, 's' in the pipeline",
        "rng": told["one"]["rng"],
        "number": "different: type numpy.float64 in the notebook, float in the pipeline: "
        "0.5 (numpy.float64) in the notebook, 0.5 (float) in the pipeline",
        "cell 4": "different: printed: 'box <Box object at 0x…>' in the notebook, "
        "'BOX <Box object at 0x…>' in the pipeline",
    }  # fmt: skip
    assert re.fullmatch(r"different: \.args.*: \d+ in the notebook, \d+ in the pipeline.*", told["one"]["rng"])
    assert told["two"] == {
        "box": "different: .items: length: 4 in the notebook, 3 in the pipeline",
        "frame": told["two"]["frame"],
        "number": told["one"]["number"],
        "draws": told["two"]["draws"],
        "cell 5": told["two"]["cell 5"],
        "metric total": "different: 10.0 in the notebook, 7.0 in the pipeline",
    }
    assert told["two"]["frame"].startswith("different: index: ")
    assert told["two"]["draws"].startswith("different: [0]: ")
    assert told["three"] == {
        "error": "different: ZeroDivisionError: division by zero",
        "cell 6": told["three"]["cell 6"],
    }


def test_what_the_notebook_does_not_do_twice_the_same_way_is_not_blamed_on_the_pipeline(
    work: Path, notebook: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook(
        work / "moving.ipynb",
        ([], "import time\nimport uuid\nimport numpy as np"),
        (["step:one"], "now = time.time_ns()\nfixed = [1, 2]\nprint(uuid.uuid4())\nprint('same')\nnp.random.rand()"),
        (["step:two"], "print(len(fixed), now > 0, np.random.rand())"),  # unseeded, but the first state is fixed
    )  # fmt: skip
    found = run("moving.ipynb", work)
    assert [found.status, int(found.exit_code), found.runs] == [Status.NONDETERMINISTIC, 0, 2]
    told = verdicts(found)
    assert {step: sorted(items) for step, items in told.items()} == {"one": ["cell 2", "now"], "two": []}
    assert told["one"]["now"].startswith("nondeterministic: two runs of the notebook itself differ; here: ")

    edited(monkeypatch, {"one": {"print('same')": "print('other')", "[1, 2]": "[1, 3]"}})
    found = run("moving.ipynb", work)
    assert [found.status, found.runs] == [Status.DIFFERENT, 2]
    told = verdicts(found)
    assert told["one"]["fixed"] == "different: [1]: 2 in the notebook, 3 in the pipeline"
    assert told["one"]["cell 2"].startswith("different: ")
    assert told["one"]["now"].startswith("nondeterministic: ")


def test_a_notebook_that_fails_itself_names_the_cell(
    work: Path, notebook: Callable[..., None], told: Callable[..., str]
) -> None:
    notebook(work / "broken.ipynb", (["step:one"], "a = 0"), ([], "b = 1 / a"), (["step:two"], "print(b)"))
    text = told("verify", "broken.ipynb")
    assert "failed: the notebook itself fails in cell 2: ZeroDivisionError: division by zero\n" in text
    assert text.endswith("--- exit code 1\n")


def test_a_notebook_that_cannot_be_compiled_is_not_run(work: Path, notebook: Callable[..., None]) -> None:
    notebook(work / "refused.ipynb", (["step:one"], "Path('ran').touch()\nprint(undefined_name)"))
    found = run("refused.ipynb", work)
    assert [found.status, int(found.exit_code), found.runs, found.steps] == [Status.REFUSED, 2, 0, ()]
    assert [diagnostic.code for diagnostic in found.diagnostics if diagnostic.severity == "error"] == ["NB203", "NB203"]


def test_a_value_without_a_fingerprint_is_uncompared_and_never_equal(work: Path, notebook: Callable[..., None]) -> None:
    notebook(
        work / "open.ipynb",
        (["step:one"], "numbers = (n for n in range(3))\nfirst = next(numbers)"),
        (["step:two"], "print(next(numbers), first)"),
    )
    found = run("open.ipynb", work)
    assert [found.status, int(found.exit_code)] == [Status.EQUAL, 0]
    assert [(value.name, value.status) for value in found.steps[0].values] == [
        ("numbers", Status.UNCOMPARED),
        ("first", Status.EQUAL),
    ]
    assert found.joined == ((("one", "two"), ("numbers",)),)


def test_what_cannot_be_displayed_stops_neither_notebook_nor_pipeline(
    work: Path, notebook: Callable[..., None]
) -> None:
    notebook(
        work / "odd.ipynb",
        (["step:one"], "class Odd:\n    def __repr__(self):\n        raise ValueError('no picture')\n'made'"),
        (["step:one"], "Odd()"),
        (["step:two"], "name = eval('Odd')\nname()"),
        (["step:two"], "display(name(), 2)"),
        (["step:three"], "for n in range(2):\n    display(Odd(), n)"),
    )
    found = run("odd.ipynb", work)
    assert [found.status, int(found.exit_code), found.runs] == [Status.EQUAL, 0, 1]
    assert [output.status for step in found.steps for output in step.outputs] == [Status.EQUAL] * 5


def test_progress_is_told(work: Path, notebook: Callable[..., None]) -> None:
    notebook(work / "small.ipynb", (["step:one"], "a = 1"), (["step:two"], "print(a)"))
    events: list[Any] = []
    verify(VerifyRequest("small.ipynb", work), events.append)
    assert [event for event in events if isinstance(event, StageBegins | CellBegins)] == [
        StageBegins("running the notebook"),
        CellBegins(1, 1, 2),
        CellBegins(2, 2, 2),
        StageBegins("running the pipeline"),
        StageBegins("comparing values"),
    ]


def test_a_project_that_is_too_large_is_not_copied(
    work: Path, notebook: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook(work / "small.ipynb", (["step:one"], "a = 1"))
    (work / "big").write_bytes(bytes(1000))
    monkeypatch.setattr("nbmlops.app.verify.scratch.LIMIT", 999)
    with pytest.raises(UsageError, match=r"verify copies at most 999 B. Largest: big \(1 KB\)"):
        run("small.ipynb", work)


def test_an_interruption_ends_everything_and_leaves_nothing(work: Path, notebook: Callable[..., None]) -> None:
    scratch = work.parent / "scratch"
    scratch.mkdir()
    notebook(work / "long.ipynb", (["step:one"], "import time\nopen('began', 'w').close()\ntime.sleep(600)"))
    command = [sys.executable, "-m", "nbmlops", "verify", "long.ipynb"]
    process = subprocess.Popen(command, cwd=work, env={**os.environ, "TMPDIR": str(scratch)}, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(scratch.glob("*/*/began")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert [process.returncode, told.decode().splitlines()[-1]] == [130, "error: interrupted"]
    assert list(scratch.iterdir()) == []
