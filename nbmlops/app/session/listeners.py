"""Who is to hear that the status of a notebook's run may have changed, such as its panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbmlops.app.session.session import NotebookSession

Listener = Callable[["NotebookSession"], bool]
_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """Calls the listener with the session whenever its status may have changed, until it returns False.

    Cells wait for it, also in the middle of what they do, and other threads call it: it must only take note.
    """
    _listeners.append(listener)


def tell_listeners(*sessions: NotebookSession) -> None:
    """Tells those that subscribed that the status of a run may have changed."""
    for session in sessions:
        for listener in tuple(_listeners):
            if not listener(session) and listener in _listeners:
                _listeners.remove(listener)


def forget_listeners() -> None:
    """Forgets all of them: they are those of another process."""
    _listeners.clear()
