"""The part of the ambient state that turns figures into pictures: what IPython shows for a matplotlib figure.

Jupyter's backend makes itself known to IPython when the first figure is drawn. A later step that only shows a figure
would print its name instead.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from nbmlops.runtime.ambient.parts import Part

_INLINE = "matplotlib_inline.backend_inline"
_FIGURE = "matplotlib.figure"
_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/svg+xml": "svg", "application/pdf": "pdf"}


class FigureDisplay(Part):
    """The picture formats of figures, and how they are drawn; nothing outside of IPython."""

    name = "figure display"
    library = "matplotlib"
    whole = True

    def capture(self) -> Mapping[str, object]:
        """Returns the formats with their options, as soon as a figure could be shown."""
        shell = _shell()
        if shell is None or _FIGURE not in sys.modules or _INLINE not in sys.modules:
            return {}
        figure = sys.modules[_FIGURE].Figure
        formats, options = [], dict[str, Any]()
        for kind, usual in _FORMATS.items():
            printer = shell.display_formatter.formatters[kind].type_printers.get(figure)
            if isinstance(printer, partial):
                formats.append("retina" if printer.func.__name__ == "retina_figure" else usual)
                options = {k: value for k, value in printer.keywords.items() if k not in {"fmt", "base64"}}
        return {"formats": formats, "options": options} if formats else {}

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - they are never gone
        """Makes the backend known to IPython, and sets the formats."""
        shell = _shell()
        if shell is None or not values:
            return
        configure = getattr(import_module(_INLINE), "configure_inline_support", None)
        if configure is None:  # it is just importing matplotlib; what it sets itself is set again when the step begins
            return
        configure(shell, "inline")
        select = import_module("IPython.core.pylabtools").select_figure_formats
        select(shell, set(values["formats"]), **values["options"])


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
