"""`%load_ext nbmlops`: the magic, completion, and the hooks that follow the cells of the notebook.

Hooks run around every cell of every user. They never raise: what fails in one is said once, as a warning, and the hook
is taken out, so that no cell can be broken by bookkeeping.
"""

from __future__ import annotations

import functools
import sys
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any

from nbmlops.core.errors import NbmlopsError

_loaded: weakref.WeakKeyDictionary[Any, tuple[tuple[str, Callable[..., None]], ...]] = weakref.WeakKeyDictionary()


def load_ipython_extension(shell: Any) -> None:
    """Registers magic, completion and hooks in the shell; loading again changes nothing.

    Args:
        shell: IPython's `InteractiveShell`.
    """
    if shell in _loaded:
        return
    from nbmlops.ipython import completion, magics  # noqa: PLC0415  # they load the grammar

    magics.register(shell)
    completion.register(shell)
    follows = {"pre_execute": _before_code, "pre_run_cell": _before_cell, "post_run_cell": _after_cell}
    hooks = tuple((event, _guarded(shell, event, follow)) for event, follow in follows.items())
    for event, hook in hooks:
        shell.events.register(event, hook)
    _loaded[shell] = hooks


def unload_ipython_extension(shell: Any) -> None:
    """Takes out what loading registered; a run that is open stays open until it is stopped or the kernel exits.

    Args:
        shell: IPython's `InteractiveShell`.
    """
    from nbmlops.ipython import completion, magics  # noqa: PLC0415  # they load the grammar

    for event, hook in _loaded.pop(shell, ()):
        if hook in shell.events.callbacks[event]:
            shell.events.unregister(event, hook)
    completion.unregister(shell)
    magics.unregister(shell)


def _guarded(shell: Any, event: str, follow: Callable[[Any], None]) -> Callable[..., None]:
    """Returns a hook that cannot break a cell: IPython passes it one record, in some releases none, in others more."""

    @functools.wraps(follow)
    def hook(*arguments: object, **_more: object) -> None:
        record = arguments[0] if arguments else None
        try:
            follow(record)
        except NbmlopsError as error:
            _tell(record, f"nbmlops: {error}")
        except Exception as error:  # noqa: BLE001  # a hook of ours must never fail a cell of the user's
            if hook in shell.events.callbacks[event]:
                shell.events.unregister(event, hook)
            _tell(record, f"nbmlops stopped following the cells: {type(error).__name__}: {error}")

    return hook


def _tell(record: Any, text: str) -> None:
    """Warns, unless the cell is one that is to show nothing; whoever turns warnings into errors gets none from us."""
    if getattr(getattr(record, "info", record), "silent", False):
        return
    try:
        warnings.warn(text, stacklevel=1)
    except UserWarning:
        sys.stderr.write(f"{text}\n")


def _before_code(_nothing: Any) -> None:
    """Notes that code begins: a cell, one that is to show nothing, or what a widget of the user's calls."""
    session = _open_session()
    if session is not None:
        session.code_begins()


def _before_cell(info: Any) -> None:
    _started[id(info)] = (time.time_ns(), time.perf_counter_ns())
    session = _open_session()
    if session is not None:
        session.cell_started(getattr(info, "raw_cell", "") or "")


def _after_cell(result: Any) -> None:
    ended = time.perf_counter_ns()
    info = getattr(result, "info", None)
    started = _started.pop(id(info), None)
    session = _open_session()
    if session is None:
        return
    # A cell that keeps no history is not the notebook's: a debugger's, or one that a magic runs within another.
    if getattr(info, "store_history", False):
        from nbmlops.ipython.cell_result import deleted_cells, describe  # noqa: PLC0415  # only runs need it

        session.cell_ran(describe(result, started, ended), deleted_cells(info))
    session.cell_finished(succeeded=bool(getattr(result, "success", True)))


# When cells began that have not ended: by the identity of their record, which lives as long. Cells run within cells,
# and in several threads where a kernel has subshells.
_started: dict[int, tuple[int, int]] = {}


def _open_session() -> Any:
    """Returns the session of this kernel if one was started; its module is not loaded for that."""
    module = sys.modules.get("nbmlops.app.session.current")
    return module.current_session() if module is not None else None
