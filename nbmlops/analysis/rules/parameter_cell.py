"""NB301 to NB304: what cannot be a parameter.

A parameter is a line `name = value` with a value that a command line can give: a literal, a date, a path. Other code
of the cell runs before the first step. NB301: several names set at once, no value, or a name of Python's own. NB302: a
value that JSON cannot say. NB303: a value that its annotation denies. NB304: a parameter set twice.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.core.syntax import walk
from nbmlops.notebook.model import RoleKind

CODES = ("NB301", "NB302", "NB303", "NB304")


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields what the reading of the parameters cell found."""
    for fault in graph.parameter_faults:
        unit = next(u for u in graph.units if u.cell.role.kind is RoleKind.PARAMETERS and _holds(u.node, fault.node))
        yield graph.error(fault.code, Place(unit, fault.node), fault.message, fault.hint)


def _holds(statement: ast.stmt, node: ast.AST) -> bool:
    return any(part is node for part in walk(statement))
