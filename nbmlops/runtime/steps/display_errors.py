"""Errors of displaying in a step: shown as results, since the notebook goes on after them.

Where a `__repr__` or a figure raises, IPython shows the traceback as an error, and the session goes on. Papermill takes
whatever looks like an error for a failure, and newer kernels say of the cell that it has failed.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any

_DISPLAYING = frozenset({"IPython.core.formatters", "matplotlib_inline.backend_inline"})


def show_as_results(shell: Any) -> Callable[[], None]:
    """Lets an IPython shell show errors of displaying as results, told by their metadata, and not as errors.

    Returns:
        What ends that.
    """
    own = shell.showtraceback

    def showtraceback(*arguments: Any, **options: Any) -> None:
        if sys._getframe(1).f_globals.get("__name__") in _DISPLAYING:  # noqa: SLF001 - who asks is told nowhere else
            _show(sys.exc_info()[1])
        else:
            own(*arguments, **options)

    shell.showtraceback = showtraceback

    def end() -> None:
        shell.showtraceback = own

    return end


def _show(error: BaseException | None) -> None:
    from IPython.display import publish_display_data

    text = "".join(traceback.format_exception(error))
    publish_display_data({"text/plain": text}, {"nbmlops": {"error": f"{type(error).__name__}: {error}"}})
