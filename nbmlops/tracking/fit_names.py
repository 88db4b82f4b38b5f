"""What the code that trains a model calls it: found where the call stands in the notebook's text."""

from __future__ import annotations

import ast
import linecache
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import FrameType

_FOREIGN = tuple(
    str(path)
    for path in (
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        Path(__file__).parents[1],
        "<frozen ",
    )
)
_PACKAGES = frozenset({"site-packages", "dist-packages"})
"""Where installed packages are: those of a person or of the system as well, of which `sysconfig` tells nothing."""
_TRAINING = "fit"
_OWN = frozenset({"self", "cls", "_"})
_MOST_TEXT = 1_000_000


def fit_name(frame: FrameType | None) -> str:
    """Returns what the innermost call in the user's code calls the model that it trains, "" where it has no name.

    Args:
        frame: Where training was noticed: below the user's code, which is what no library and not Python itself is.
    """
    while frame is not None and _is_foreign(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return ""
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    place = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    return name_at("".join(lines), place[1] or 0, place[3] or 0)


@lru_cache(maxsize=1024)
def _is_foreign(file: str) -> bool:
    return file.startswith(_FOREIGN) or not _PACKAGES.isdisjoint(Path(file).parts)


@lru_cache(maxsize=64)
def name_at(text: str, line: int, col: int) -> str:
    """Returns what the call that ends at a place calls its model: `model` for `model.fit(X)` or `model = train(X)`.

    Args:
        text: A cell or a module.
        line: The line on which the call ends, from 1.
        col: The byte behind its closing bracket in that line.
    """
    if len(text) > _MOST_TEXT:
        return ""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError):  # not the text of what runs
        return ""
    calls = (node for node in nodes if isinstance(node, ast.Call))
    call = next((call for call in calls if (call.end_lineno, call.end_col_offset) == (line, col)), None)
    return "" if call is None else _receiver(call) or next(filter(None, (_target(node, call) for node in nodes)), "")


def _receiver(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr.startswith(_TRAINING):
        receiver = function.value
        match receiver:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name not in _OWN:
                return name
    return ""


def _target(node: ast.AST, call: ast.Call) -> str:
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=value)
            | ast.NamedExpr(target=ast.Name(id=name), value=value)
        ) if value is call:
            return name
        case _:
            return ""
