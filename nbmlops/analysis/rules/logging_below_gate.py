"""NB403: call of the logging API below the gate.

The gate judges the metrics of the run when all steps are done. A metric, parameter or data set logged below the line
`%mlops gate` was not there when the notebook's gate judged, but would be in the pipeline. `%mlops` lines below the
gate are NB122.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.analysis.statements import Unit
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.notebook.model import MagicAction

CODE = "NB403"
_LOGGING = {"metric", "param", "data", "check"}


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each such call, and at calls of functions that make one."""
    gate = graph.gate()
    if gate is None:
        return
    for unit in graph.running():
        if unit.place() <= gate or unit.defines() or _is_magic(unit):
            continue
        for function, node in _calls(graph, unit):
            if function in _LOGGING:
                yield graph.error(
                    CODE,
                    Place(unit, node),
                    f"`nbmlops.{function}` is called below the gate in cell {gate[0]}",
                    "move the call above `%mlops gate`",
                )
                break


def _is_magic(unit: Unit) -> bool:
    return any(magic.line == unit.first and magic.action is MagicAction.CALL for magic in unit.cell.magics)


def _calls(graph: Graph, unit: Unit) -> list[tuple[str, ast.AST]]:
    """Returns the API calls of a statement, and those of functions that it uses, placed at the statement."""
    behind = [graph.namespace.definitions[n] for n in sorted(unit.record.mentions) if n in graph.namespace.definitions]
    own: list[tuple[str, ast.AST]] = [*unit.record.api]
    return own + [(function, unit.node) for definition in behind for function, _ in definition.record.api]
