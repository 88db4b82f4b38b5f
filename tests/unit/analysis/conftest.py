"""Small notebooks: built in memory, `build(("step:a", "x = 1"), ("step:b", "print(x)"))`, or read from text files.

In those a notebook begins with `== name`, a cell with `%% tags`; lines `-- step: inputs -> outputs` say what is
expected. A test with an argument `tricky_case` runs for each notebook of `tricky.txt`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nbmlops.analysis.analyze import analyze, build_graph
from nbmlops.analysis.graph import Graph
from nbmlops.analysis.model import ClosingNames, NotebookAnalysis
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook

CellText = tuple[str, str]


@dataclass
class Case:
    """One notebook of a text file."""

    name: str
    cells: list[CellText] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)


def read_cases(path: Path) -> list[Case]:
    """Returns the notebooks of a text file."""
    cases: list[Case] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            cases.append(Case(line[3:]))
        elif line.startswith("-- "):
            step, _, interface = line[3:].partition(": ")
            cases[-1].expected[step] = interface
        elif line.startswith("%% ") or line == "%%":
            cases[-1].cells.append((line[3:], ""))
        elif cases and cases[-1].cells:
            tags, source = cases[-1].cells.pop()
            cases[-1].cells.append((tags, f"{source}{line}\n"))
    return [Case(c.name, [(tags, text.rstrip("\n")) for tags, text in c.cells], c.expected) for c in cases]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test for each notebook of the text file that its argument names."""
    for name in metafunc.fixturenames:
        if name.endswith("_case"):
            cases = read_cases(Path(__file__).parent / f"{name.removesuffix('_case')}.txt")
            metafunc.parametrize(name, cases, ids=[case.name for case in cases])


@pytest.fixture
def faulty_notebooks() -> list[Case]:
    """Returns all notebooks of `faulty.txt`."""
    return read_cases(Path(__file__).parent / "faulty.txt")


def _build(*cells: CellText) -> Notebook:
    written = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"tags": tags.split()},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, (tags, source) in enumerate(cells, 1)
    ]
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": written}
    return parse_notebook(json.dumps(document).encode(), "small.ipynb")


@pytest.fixture
def build() -> Callable[..., Notebook]:
    """Returns a function that makes a notebook of (tags, source) pairs."""
    return _build


@pytest.fixture
def analyzed() -> Callable[..., NotebookAnalysis]:
    """Returns a function that makes a notebook of (tags, source) pairs and analyses it."""

    def run(*cells: CellText, closing: ClosingNames | None = None) -> NotebookAnalysis:
        return analyze(_build(*cells), closing or ClosingNames())

    return run


@pytest.fixture
def graph() -> Callable[..., Graph]:
    """Returns a function that makes the graph of a notebook of (tags, source) pairs."""
    return lambda *cells: build_graph(_build(*cells), ClosingNames())


@pytest.fixture
def interfaces(analyzed: Callable[..., NotebookAnalysis]) -> Callable[..., dict[str, str]]:
    """Returns a function that shows each step of a sound notebook as "inputs -> outputs"."""

    def run(*cells: CellText) -> dict[str, str]:
        found = analyzed(*cells)
        assert [d.message for d in found.diagnostics if d.code != "NB101"] == []
        return {
            step.name: f"{' '.join(f'{i.name}@{i.step}' for i in step.inputs)} -> {' '.join(step.outputs)}".strip()
            for step in found.steps
        }

    return run


@pytest.fixture
def faults(analyzed: Callable[..., NotebookAnalysis]) -> Callable[..., list[str]]:
    """Returns a function that lists the diagnostics of a notebook, the note on missing tags left out."""

    def run(*cells: CellText) -> list[str]:
        found = analyzed(*cells).diagnostics
        return [f"{d.code} {d.span.cell}:{d.span.line}:{d.span.col} {d.message}" for d in found if d.code != "NB101"]

    return run
