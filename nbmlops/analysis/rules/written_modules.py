"""NB220: module that the notebook writes and imports.

The modules of a pipeline import what their steps need when they are loaded, which is before the cell `%%writefile
helper.py` has run. They would see the file of an earlier run, or none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.core.syntax import walk

CODE = "NB220"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each cell that writes a module which some cell imports."""
    written = [(unit, call) for unit in graph.units for name, call in unit.record.api if name == "shell.writefile"]
    imported = {name for unit in graph.units if written for name in _imported(unit.node)}
    for unit, call in written:
        path = call.args[0]
        file = PurePosixPath(path.value) if isinstance(path, ast.Constant) and isinstance(path.value, str) else None
        if file is not None and file.suffix == ".py" and file.stem in imported:
            yield graph.error(
                CODE,
                Place(unit, call),
                f"the cell writes {file}, which the notebook imports: steps import it before this cell has run",
                f"keep {file} beside the notebook, and tag this cell `skip`",
            )


def _imported(statement: ast.stmt) -> Iterator[str]:
    for node in walk(statement):
        if isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
            yield from (alias.name for alias in node.names)
