"""Showing results inside a compiled step where and when the notebook shows them.

A module of its own, because every generated step imports it: it costs nothing to load.
"""

from __future__ import annotations

import sys


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

    for value in values:
        if value is not None:
            display(value)
    backend = sys.modules.get("matplotlib_inline.backend_inline")
    if backend is not None:
        backend.flush_figures()
