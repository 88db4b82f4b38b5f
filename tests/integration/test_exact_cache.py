"""The cache is exact: which steps run again after each edit of a small project, and the reason that is told.

Rows 30 and 31 of the catalogue. Notebooks are compiled and run, one thing is edited, and they are compiled and run
again. Taking an edit back needs no step: the earlier results are still there.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from nbmlops.app.compiling.compile import CompileRequest, CompileStatus, compile_project
from nbmlops.pipeline.run_record import RunStatus, StepStatus
from nbmlops.runtime.reuse.foresee import Prospect, foresee
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.results import RunOptions

pytestmark = pytest.mark.slow

Cells = Mapping[str, tuple[str, str]]
IMPORTS = """import os
import random
from pathlib import Path

import near
import squarify
from kit import tool"""
CELLS: Cells = {
    "title": ("", "# Numbers"),
    "imports": ("imports", IMPORTS),
    "parameters": ("parameters", "factor = 2\nlimit = 9\nunread = 0"),
    "plus": ("", "def plus(x):\n    return x + 1"),
    "plus2": ("", "def plus2(x):\n    return plus(plus(x))"),
    "minus": ("", "def minus(x):\n    return x - 1"),
    "read": ("step:read", "rows = [int(path.read_text()) for path in sorted(Path('data').glob('*.txt'))]"),
    "scale": ("step:scale", "scaled = [min(plus2(row) * factor, limit) for row in rows]"),
    "shift": ("step:shift", "shifted = [minus(row) for row in rows]"),
    "module": ("step:module", "by_module = near.near(1)"),
    "package": ("step:package", "by_package = tool.use(1)"),
    "mode": ("step:mode", "mode = os.environ.get('EXACT_MODE', 'none')"),
    "library": ("step:library", "by_library = squarify.value()"),
    "asked": ("step:asked", "is_there = Path('data/flag').exists()"),
    "draw": ("step:draw", "random.seed(3)\nfirst = random.random()"),
    "again": ("step:again", "second = random.random()"),
    "end": ("step:end", "total = sum(scaled) + sum(shifted)"),
}
FILES = {
    "nbmlops.toml": "",
    "data/1.txt": "1",
    "data/2.txt": "2",
    "near.py": "import far\n\n\ndef near(x):\n    return far.far(x)\n",
    "far.py": "# far away\ndef far(x):\n    return x * 10\n",
    "kit/__init__.py": "from kit.base import BASE\n",
    "kit/base.py": "BASE = 1\n",
    "kit/tool.py": "from . import BASE\nfrom .deep import deep\n\n\ndef use(x):\n    return deep(x) + BASE\n",
    "kit/deep.py": "def deep(x):\n    return -x\n",
    "kit/other.py": "def other(x):\n    return x\n",
    "lib/squarify.py": "import tabulate\n\n\ndef value():\n    return tabulate.VALUE\n",
    "lib/squarify-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: squarify\nVersion: 1.0\n",
    "lib/tabulate.py": "VALUE = 1\n",
    "lib/tabulate-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tabulate\nVersion: 1.0\n",
    "lib/kneed.py": "",
    "lib/kneed-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: kneed\nVersion: 1.0\n",
}


@dataclass
class Project:
    """A folder with a notebook; `edit` takes back what earlier edits did."""

    root: Path
    cells: Cells
    files: Mapping[str, str]

    @property
    def folder(self) -> Path:
        return self.root / "pipelines" / "counts"

    def edit(self, cells: Cells | None = None, files: Mapping[str, str] | None = None) -> None:
        """Writes the project with these cells and files in place of, or beside, its own, and compiles it."""
        for path in self.root.glob("data/*"):
            path.unlink()
        for name, text in {**self.files, **(files or {})}.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_text() != text:
                path.write_text(text)
        document = nbformat.v4.new_notebook()
        for name, (tag, source) in {**self.cells, **(cells or {})}.items():
            make = nbformat.v4.new_code_cell if tag or not source.startswith("# ") else nbformat.v4.new_markdown_cell
            document.cells.append(make(source, id=name, metadata={"tags": [tag]} if tag else {}))
        document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        (self.root / "counts.ipynb").write_text(nbformat.writes(document))
        outcome = compile_project(CompileRequest("counts.ipynb", self.root, targets=("none",)))
        assert outcome.status is not CompileStatus.REFUSED, outcome.compiled.diagnostics

    def run(self, parameters: Mapping[str, int] | None = None) -> dict[str, str]:
        """Runs the pipeline; returns the steps that were executed, with the reasons."""
        result = run_pipeline(self.folder, RunOptions(base=self.root, parameters=parameters or {}), lambda _: None)
        assert result.status is RunStatus.SUCCEEDED, [step.error for step in result.steps]
        return {step.name: step.reason for step in result.steps if step.status is not StepStatus.CACHED}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Project]:
    """Makes a project whose libraries stand in its folder `lib`, and runs it once."""

    def make(cells: Cells, files: Mapping[str, str]) -> Project:
        library = str(tmp_path / "lib")
        monkeypatch.syspath_prepend(library)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH", "")])))
        made = Project(tmp_path, cells, files)
        made.edit()
        made.run()
        return made

    return make


EDITS: dict[str, tuple[Cells, dict[str, str], dict[str, str]]] = {
    # what: cells, files, and the steps that run again
    "a comment, blank lines and spaces in a step": (
        {"scale": ("step:scale", "scaled  =  [\n\n    min(plus2(row)*factor, limit)  # hm\n    for row in rows]")},
        {},
        {},
    ),
    "a comment in a helper": ({"minus": ("", "def minus(x):\n    # one less\n    return (x - 1)")}, {}, {}),
    "Markdown": ({"title": ("", "# Digits\n\nOther words.")}, {}, {}),
    "a helper that nobody uses": (
        {"plus2": ("", "def plus2(x):\n    return plus(plus(x))\n\n\ndef unused(x):\n    return x")},
        {},
        {},
    ),
    "a cell of another step": (
        {"end": ("step:end", "total = sum(shifted) + sum(scaled)")},
        {},
        {"end": "code changed"},
    ),
    "a helper, used through another one": (
        {"plus": ("", "def plus(x):\n    return 1 + x")},
        {},
        {"scale": "code changed"},
    ),
    "a helper, and what it gives": (
        {"minus": ("", "def minus(x):\n    return x - 2")},
        {},
        {"shift": "code changed", "end": "input shifted changed"},
    ),
    "the docstring of a helper, which code may read": (
        {"minus": ("", 'def minus(x):\n    """Return less."""\n    return x - 1')},
        {},
        {"shift": "code changed"},
    ),
    "a comment in a local module": ({}, {"far.py": "# nearer\n\ndef far(x):\n    return (x * 10)\n"}, {}),
    "a local module that another one imports": (
        {},
        {"far.py": "def far(x):\n    return 10 * x\n"},
        {"module": "code changed; file changed: far.py"},
    ),
    "a module behind a relative import": (
        {},
        {"kit/deep.py": "def deep(x):\n    return 0 - x\n"},
        {"package": "code changed; file changed: kit/deep.py"},
    ),
    "a module that the package itself imports": (
        {},
        {"kit/base.py": "BASE = 2\n"},
        {"package": "code changed; file changed: kit/base.py"},
    ),
    "the package itself": (
        {},
        {"kit/__init__.py": "from kit.base import BASE\n\nMORE = BASE\n"},
        {"package": "code changed; file changed: kit/__init__.py"},
    ),
    "a module of the package that nobody imports": ({}, {"kit/other.py": "def other(x):\n    return 2 * x\n"}, {}),
    "a parameter that no step reads": (
        {"parameters": ("parameters", "factor = 2\nlimit = 9\nunread = 1")},
        {},
        {},
    ),
    "a parameter whose change changes no value": (
        {"parameters": ("parameters", "factor = 2\nlimit = 99\nunread = 0")},
        {},
        {"scale": "parameter limit changed"},
    ),
    "an input file that gives the same value": ({}, {"data/1.txt": "01"}, {"read": "file changed: data/1.txt"}),
    "a file that does not match": ({}, {"data/3.csv": "3"}, {}),
    "a new file that matches": (
        {},
        {"data/3.txt": "3"},
        {
            "read": "other files match data/*.txt",
            "scale": "input rows changed",
            "shift": "input rows changed",
            "end": "input scaled changed; input shifted changed",
        },
    ),
    "a file whose existence is asked for": ({}, {"data/flag": ""}, {"asked": "data/flag is there now"}),
    "the state of the random generator": (
        {"draw": ("step:draw", "random.seed(4)\nfirst = random.random()")},
        {},
        {"draw": "code changed", "again": "the state of the random generators changed"},
    ),
}


def test_an_edit_runs_again_what_it_changes_and_nothing_else(project: Callable[..., Project]) -> None:
    counts = project(CELLS, FILES)
    told, back = {}, {}
    for name, (cells, files, _) in EDITS.items():
        counts.edit(cells, files)
        told[name] = counts.run()
        counts.edit()
        back[name] = counts.run()
    assert told == {name: expected for name, (_, _, expected) in EDITS.items()}
    assert set(map(len, back.values())) == {0}


def test_given_parameters_variables_and_libraries_count_where_they_are_used(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"imports", "parameters", "plus", "plus2", "read", "scale", "mode", "library"}
    counts = project({name: cell for name, cell in CELLS.items() if name in few}, FILES)
    assert counts.run({"unread": 5}) == {}
    assert counts.run({"factor": 3}) == {"scale": "parameter factor changed"}

    os.utime(counts.root / "data" / "1.txt", (1, 1))
    assert counts.run() == {}

    monkeypatch.setenv("EXACT_OTHER", "x")
    assert counts.run() == {}
    monkeypatch.setenv("EXACT_MODE", "x")
    assert counts.run() == {"mode": "the variable EXACT_MODE changed"}
    monkeypatch.delenv("EXACT_MODE")
    assert counts.run() == {}

    def upgrade(name: str) -> None:
        (counts.root / "lib" / f"{name}-1.0.dist-info").rename(counts.root / "lib" / f"{name}-2.0.dist-info")

    upgrade("kneed")
    assert counts.run() == {}
    upgrade("squarify")
    assert counts.run() == {"library": "environment changed: squarify 1.0 -> 2.0"}
    upgrade("tabulate")  # which the other one imports
    assert counts.run() == {"library": "environment changed: tabulate 1.0 -> 2.0"}

    reason = f"environment changed: python {platform.python_version()} -> 3.99.0"
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    foreseen = foresee(counts.folder, RunOptions())
    assert [(step.prospect, step.reason) for step in foreseen] == [(Prospect.EXECUTE, reason)] * len(foreseen)
