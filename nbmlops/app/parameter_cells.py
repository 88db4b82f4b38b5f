"""Which names a notebook's parameters cell binds, and whether a running cell is such a cell. Pure."""

from __future__ import annotations

import ast
from collections.abc import Collection

from nbmlops.notebook.model import Notebook, RoleKind


def parameter_names(notebook: Notebook) -> tuple[str, ...]:
    """Returns the names that the `parameters` cell binds, in its order; faults in it are the compiler's to report."""
    cells = (cell for cell in notebook.cells if cell.role.kind is RoleKind.PARAMETERS)
    found = (_binding(statement) for cell in cells for statement in _statements(cell.python))
    return tuple(dict.fromkeys(name for name in found if name))


def binds_only(source: str, names: Collection[str]) -> bool:
    """Returns whether a cell only binds some of these names to literals, as the parameters cell does.

    The cell that papermill injects after it does so too, and one that a user runs again with other values.
    """
    found = [_binding(statement) for statement in _statements(source) if not _is_text(statement)]
    return bool(found) and all(name in names for name in found)


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError):
        return []


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _binding(statement: ast.stmt) -> str:
    """Returns the name that a statement binds to a literal, "" for every other statement."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name if _is_literal(value) else ""
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name if _is_literal(value) else ""
        case _:
            return ""


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
