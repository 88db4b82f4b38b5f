"""Showing results inside a compiled step where and when the notebook shows them.

A module of its own, because every generated step imports it: it costs nothing to load.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def show(*values: object) -> None:
    """Displays the values (None is left out) and then the open figures, where and when Jupyter would.

    Compiled steps call it where a cell ended, so that results stand in the order of the notebook. Outside IPython it
    does nothing.

    Args:
        *values: What the cell's last expression gave; without any, only figures are displayed.
    """
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return
    from IPython.display import display

    with _errors_shown(ipython.get_ipython()):
        for value in values:
            if value is not None:
                display(value)
        backend = sys.modules.get("matplotlib_inline.backend_inline")
        if backend is not None:
            backend.flush_figures()


@contextmanager
def _errors_shown(shell: Any) -> Iterator[None]:
    """Shows errors of displaying as results; the cell that displays does not fail in Jupyter either.

    Papermill takes whatever looks like an error for a failure of the step.
    """
    from IPython.display import publish_display_data

    def shown(*_arguments: Any, **_options: Any) -> None:
        error = sys.exc_info()[1]
        text = "".join(traceback.format_exception(error))
        publish_display_data({"text/plain": text}, {"nbmlops": {"error": f"{type(error).__name__}: {error}"}})

    own = shell.showtraceback
    shell.showtraceback = shown
    try:
        yield
    finally:
        shell.showtraceback = own
