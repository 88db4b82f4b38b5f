"""Which values the closing stages read: the model and its data to register, and values that are metrics."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbmlops.analysis.model import ClosingNames
from nbmlops.core.syntax import parse
from nbmlops.notebook.model import Cell, Magic, MagicAction, Notebook, RoleKind


def closing_names(notebook: Notebook) -> ClosingNames:
    """Returns what the notebook itself says: its `%mlops register` line, and the metrics cells of Kale."""
    model = data = ""
    for cell in notebook.cells:
        if cell.role.kind is RoleKind.SKIP:
            continue
        for magic in cell.magics:
            if magic.action is MagicAction.REGISTER and not model:
                model, data = _registered(magic.python)
    return ClosingNames(model, data, {name: name for name in printed_metrics(notebook)})


def registered_name(notebook: Notebook) -> str:
    """Returns the name that the notebook's register line gives to its model, or "" where it gives none."""
    line = register_line(notebook)
    return _literal_keyword(line.python, "name") if line is not None else ""


def register_line(notebook: Notebook) -> Magic | None:
    """Returns the line that registers the notebook's model, None where there is none."""
    for cell in notebook.cells:
        for magic in cell.magics if cell.role.kind is not RoleKind.SKIP else ():
            if magic.action is MagicAction.REGISTER:
                return magic
    return None


def merge_closing(notebook: ClosingNames, configured: ClosingNames) -> ClosingNames:
    """Returns both together: the notebook's `register` line wins, configured metrics are added."""
    return ClosingNames(
        notebook.model or configured.model,
        notebook.data or configured.data,
        {**notebook.metrics, **configured.metrics},
    )


def printed_metrics(notebook: Notebook) -> tuple[str, ...]:
    """Returns the names that cells tagged `pipeline-metrics` print, in order: Kale's way to name metrics."""
    cells = (cell for cell in notebook.cells if cell.role.kind is RoleKind.METRICS)
    return tuple(dict.fromkeys(name for cell in cells for name in _printed(cell)))


def _printed(cell: Cell) -> Iterator[str]:
    try:
        body = parse(cell.python).body
    except (SyntaxError, ValueError):
        return
    for node in body:
        match node:
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[ast.Name(id=name)], keywords=[])):
                yield name
            case _:
                pass


def _literal_keyword(python: str, name: str) -> str:
    try:
        call = ast.parse(python, mode="eval").body
    except (SyntaxError, ValueError):
        return ""
    for keyword in call.keywords if isinstance(call, ast.Call) else ():
        if keyword.arg == name and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return ""


def _registered(python: str) -> tuple[str, str]:
    """Returns the plain names in `nbmlops.register(model, data=frame)`; the reader refuses anything else (NB124)."""
    try:
        call = ast.parse(python, mode="eval").body
    except (SyntaxError, ValueError):
        return "", ""
    if not isinstance(call, ast.Call) or not call.args:
        return "", ""
    data = next((keyword.value for keyword in call.keywords if keyword.arg == "data"), None)
    model = call.args[0]
    return model.id if isinstance(model, ast.Name) else "", data.id if isinstance(data, ast.Name) else ""
