"""The session of this kernel: at most one, which ends with the kernel and which a forked child does not have."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable

from nbmlops.app.session.listeners import forget_listeners, tell_listeners
from nbmlops.app.session.place import Kernel, SessionOptions, SessionPlace, find_place
from nbmlops.app.session.port import RunTitle, SessionStore
from nbmlops.app.session.session import NotebookSession
from nbmlops.app.show.views import NO_RUN_HINT, StatusView
from nbmlops.core.errors import UsageError

_open: list[NotebookSession] = []  # at most one: the run of this kernel


def current_session() -> NotebookSession | None:
    """Returns the open run of this kernel, or None."""
    return _open[0] if _open else None


def required_session() -> NotebookSession:
    """Returns the open run of this kernel.

    Raises:
        UsageError: there is none.
    """
    if not _open:
        raise UsageError("no run: nothing is tracked in this session", NO_RUN_HINT)
    return _open[0]


StoreOpener = Callable[[SessionPlace, SessionOptions], tuple[SessionStore, RunTitle]]


def start_session(options: SessionOptions, kernel: Kernel, opener: StoreOpener) -> NotebookSession:
    """Returns the run of this kernel: the open one, or a new one.

    Args:
        options: What the user says.
        kernel: The interpreter.
        opener: Starts a run in the tracking store.

    Raises:
        UsageError: the options contradict the open run, or name no notebook.
        ConfigError: the settings are malformed.
        EnvironmentFault: the tracking store cannot be used.
    """
    session = current_session()
    if session is not None:
        session.adopt(options, kernel)
        return session
    from nbmlops.app.session.files import follow_files  # noqa: PLC0415  # loads what watches folders and reads files

    place = find_place(options, kernel)
    store, title = opener(place, options)
    files = follow_files(place, kernel, store, lambda: tell_listeners(*_open)) if kernel.follows_cells else None
    session = open_session(NotebookSession(place, kernel, store, title, files))
    config = place.config
    autolog, figures = options.autolog or config.autolog, options.figures or config.figures
    session.asked.start(session, kernel, autolog=autolog, figures=figures)
    return session


def open_session(session: NotebookSession) -> NotebookSession:
    """Returns the session, which is from now on the one of this kernel and ends with it."""
    _open.append(session)
    atexit.register(_end_at_exit, session)
    tell_listeners(session)
    return session


def stop_session() -> StatusView:
    """Returns the final status of the run of this kernel, which is ended.

    Raises:
        UsageError: there is none.
    """
    status = required_session().end()
    _open.clear()
    atexit.unregister(_end_at_exit)  # else it would keep what the session knows until then
    return status


def _end_at_exit(session: NotebookSession) -> None:
    if session in _open:  # not in a forked child
        session.end_at_exit()
        _open.clear()


def _forget_in_child() -> None:
    for session in _open:
        session.abandon()
    forget_session()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_in_child)


def forget_session() -> None:
    """Forgets session and listeners without ending the run: a forked child must not end its parent's."""
    _open.clear()
    forget_listeners()
