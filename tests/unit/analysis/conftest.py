"""Small notebooks built in memory: `build(("step:a", "x = 1"), ("step:b", "print(x)"))`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from nbmlops.analysis.analyze import analyze, build_graph
from nbmlops.analysis.graph import Graph
from nbmlops.analysis.model import ClosingNames, NotebookAnalysis
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook

CellText = tuple[str, str]


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
