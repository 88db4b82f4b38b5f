"""Small notebooks, compiled."""

from __future__ import annotations

import json

from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.program import Compiled, CompileOptions
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook


def tagged(*sources: str, file: str = "tea.ipynb") -> Notebook:
    """Returns a notebook of code cells with one tag each: "tag: source"."""
    cells = []
    for number, text in enumerate(sources):
        name, _, source = text.partition(": ")
        cell = {"cell_type": "code", "id": f"c{number}", "metadata": {"tags": [name]}, "source": source}
        cells.append(cell | {"outputs": [], "execution_count": None})
    document = {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    }
    return parse_notebook(json.dumps(document | {"nbformat": 4, "nbformat_minor": 5}).encode(), file)


def compiled(book: Notebook, **changes: object) -> Compiled:
    """Returns what the notebook compiles to, without errors."""
    options = {"notebook": "tea.ipynb", "out": "pipelines/tea", **changes}
    result = compile_notebook(book, CompileOptions(**options))  # type: ignore[arg-type]  # a test's shorthand
    assert result.pipeline is not None, result.diagnostics
    return result
