"""Which parameters a notebook declares, and whether a running cell gives them values. Pure."""

from __future__ import annotations

import ast
from collections.abc import Collection

from nbmlops.analysis.namespace import import_paths
from nbmlops.analysis.parameters import declare_parameters
from nbmlops.analysis.statements import parse_cell
from nbmlops.notebook.model import Notebook, RoleKind

_MAKERS = {"date", "datetime", "fromisoformat", "Path"}


def parameter_names(notebook: Notebook) -> tuple[str, ...]:
    """Returns the parameters of the `parameters` cell, in its order; faults in it are the compiler's to report."""
    units = [unit for cell in notebook.cells if cell.role.kind is not RoleKind.SKIP for unit in parse_cell(cell)]
    own = [unit for unit in units if unit.cell.role.kind is RoleKind.PARAMETERS]
    return tuple(parameter.name for parameter in declare_parameters(own, import_paths(units)).parameters)


def gives_parameters(source: str, names: Collection[str]) -> bool:
    """Returns whether a cell gives values to parameters, as the parameters cell does.

    The cell that papermill injects does so too, and one that a user runs again with other values: they do nothing else.
    The parameters cell itself may do more, but gives a value to every parameter.

    Args:
        source: The cell as it is run.
        names: The notebook's parameters.
    """
    statements = [statement for statement in _statements(source) if not _is_text(statement)]
    bound = [_binding(statement) for statement in statements]
    given = {name for name in bound if name in names}
    return bool(given) and (len(given) == len(set(names)) or all(name in names for name in bound))


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError):
        return []


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _binding(statement: ast.stmt) -> str:
    """Returns the name that a statement binds to a value that a parameter can have, "" for every other statement."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name if _is_plain(value) else ""
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name if _is_plain(value) else ""
        case _:
            return ""


def _is_plain(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        made_by = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        parts = [*value.args, *(keyword.value for keyword in value.keywords)]
        return made_by in _MAKERS and all(isinstance(part, ast.Constant) for part in parts)
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
