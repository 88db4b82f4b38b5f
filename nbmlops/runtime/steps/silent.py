"""Importing again, in a step's process, what showed something when an earlier step imported it."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable
from importlib import import_module


def import_silently(modules: Iterable[str]) -> None:
    """Imports the modules; what that prints or displays has been shown already.

    One that cannot be imported yet is left to the step's own import, which comes later and tells why.
    """
    for module in modules:
        with _nothing_shown(), contextlib.suppress(Exception):
            import_module(module)


def _nothing_shown() -> contextlib.AbstractContextManager[object]:
    if "IPython" in sys.modules:
        from IPython.utils.capture import capture_output

        captured: contextlib.AbstractContextManager[object] = capture_output()
        return captured
    nowhere = contextlib.ExitStack()
    nowhere.enter_context(contextlib.redirect_stdout(io.StringIO()))
    nowhere.enter_context(contextlib.redirect_stderr(io.StringIO()))
    return nowhere
