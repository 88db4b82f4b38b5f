"""Who wants to know when the status of this kernel's run may have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbmlops.app.session import NotebookSession

Listener = Callable[["NotebookSession"], bool]
_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """Calls the listener with the session whenever its status may have changed, until it returns False.

    Cells wait for it, also in the middle of what they do, and other threads call it: it must only take note.
    """
    _listeners.append(listener)


def tell_listeners(session: NotebookSession) -> None:
    """Tells those that subscribed that the status may have changed."""
    for listener in tuple(_listeners):
        if not listener(session) and listener in _listeners:
            _listeners.remove(listener)


def forget_listeners() -> None:
    """Tells nobody any more: in a forked child they are its parent's."""
    _listeners.clear()
