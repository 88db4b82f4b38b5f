"""Runs the Python of a `%mlops` line where the line stands, as if the user had written the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import nbmlops
from nbmlops.core.errors import NbmlopsError


def evaluate_call(python: str, line: str, namespace: dict[str, Any], local: Mapping[str, Any]) -> object:
    """Returns the value of the call that the line stands for.

    `nbmlops` is visible to the call without being bound in the user's namespace; a name that the expression binds
    itself (`:=`) at the top level of a cell is bound there, as by any other line of the cell.

    Args:
        python: The call, as the grammar gives it.
        line: What the user wrote, for tracebacks.
        namespace: The notebook's globals.
        local: The locals around the line; the same object as `namespace` at the top level of a cell.
    """
    __tracebackhide__ = True  # the user's traceback shows the user's frames, not this one
    code = compile(python, f"<%mlops {line}>", "eval", dont_inherit=True)
    at_top_level = local is namespace
    inside: dict[str, Any] = {} if at_top_level else dict(local)
    inside["nbmlops"] = nbmlops
    try:
        return eval(code, namespace, inside)  # noqa: S307  # the user's own expression in the user's own kernel
    finally:
        inside.pop("nbmlops", None)
        if at_top_level:
            namespace.update(inside)


def shorten(error: NbmlopsError) -> NbmlopsError:
    """Returns the same error, shown by IPython as its message and hint instead of a traceback of our own frames.

    It stays a failing cell: papermill and nbclient stop as at any other exception.
    """
    lines = [f"{type(error).__name__}: {error.message}"]
    if error.hint:
        lines.append(f"hint: {error.hint}")
    # IPython asks an exception for these lines before it formats a traceback.
    vars(error)["_render_traceback_"] = lambda: lines
    return error
