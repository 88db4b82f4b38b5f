"""Whether a notebook asks for autologging: `%mlops track --autolog`, or `nbmlops.track(autolog=True)`."""

from __future__ import annotations

import ast

from nbmlops.core.errors import UsageError
from nbmlops.core.syntax import parse
from nbmlops.notebook.mlops_lines import parse_line
from nbmlops.notebook.model import Magic, MagicAction, Notebook, RoleKind

_LINE = "%mlops"
_OPTION = "autolog"


def asks_for_autolog(notebook: Notebook) -> bool:
    """Returns whether a cell of the notebook that is not skipped asks for autologging."""
    cells = (cell for cell in notebook.cells if cell.role.kind is not RoleKind.SKIP)
    return any(_asks(magic) for cell in cells for magic in cell.magics)


def _asks(magic: Magic) -> bool:
    text = magic.text.strip()
    if magic.action is not MagicAction.DROP or _OPTION not in text:
        return False
    if text.startswith(_LINE):
        return _line_asks(text.removeprefix(_LINE).strip())
    try:
        statements = parse(text).body
    except SyntaxError:  # another magic
        return False
    call = statements[0].value if statements and isinstance(statements[0], ast.Expr) else None
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return any(k.arg == _OPTION and isinstance(k.value, ast.Constant) and k.value.value is True for k in keywords)


def _line_asks(line: str) -> bool:
    try:
        parsed = parse_line(line)
    except UsageError:  # told by the compiler where the line stands
        return False
    return parsed.subcommand == "track" and bool(parsed.options.get(_OPTION))
