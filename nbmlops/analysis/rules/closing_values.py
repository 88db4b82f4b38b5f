"""NB218: value for the closing stages that no step makes.

The gate judges metrics and the register stage loads a model and its data by their names; each must be a value that a
step binds.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from nbmlops.analysis.closing import printed_metrics
from nbmlops.analysis.graph import Graph
from nbmlops.core.diagnostics import Diagnostic, Severity, SourceSpan
from nbmlops.notebook.model import Cell, MagicAction, RoleKind

CODE = "NB218"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error for each name that the closing stages read and no step binds."""
    closing = graph.closing
    wanted = [(closing.model, "the model to register"), (closing.data, "the data to register with the model")]
    printed = printed_metrics(graph.notebook)
    wanted += [(name, f"the metric '{metric}'") for metric, name in closing.metrics.items()]
    for name, purpose in wanted:
        if not name or name in graph.closing_inputs or (graph.incomplete and name not in graph.namespace.bindings):
            continue
        if name in printed and name not in graph.namespace.parameters:
            # The line that prints it reads it, which is NB203.
            continue
        reason = "no step makes it"
        hint = "write the name of a value that a step binds"
        if name in graph.namespace.parameters:
            reason = "it is a parameter, not a result"
        elif name in graph.skipped:
            reason = f"only cell {graph.skipped[name].number} makes it, which is tagged `skip`"
        elif near := get_close_matches(name, sorted(graph.namespace.data), n=1):
            hint = f"did you mean '{near[0]}'?"
        yield Diagnostic(CODE, Severity.ERROR, f"'{name}' is {purpose}, but {reason}", _span(graph, name), hint)


def _span(graph: Graph, name: str) -> SourceSpan:
    """Returns the line that names the value; the notebook as a whole when the configuration does."""
    for cell in graph.notebook.cells:
        if cell.role.kind is RoleKind.METRICS and name in cell.python:
            return _line(
                graph, cell, next(n for n, text in enumerate(cell.python.split("\n"), 1) if name in text), name
            )
        for magic in cell.magics:
            if magic.action is MagicAction.REGISTER and cell.role.kind is not RoleKind.SKIP and name in magic.text:
                return _line(graph, cell, magic.line, name)
    return SourceSpan(graph.notebook.path)


def _line(graph: Graph, cell: Cell, line: int, name: str) -> SourceSpan:
    col = cell.source.split("\n")[line - 1].find(name) + 1
    return graph.notebook.span(cell, line, col, line, col + len(name) if col else 0)
