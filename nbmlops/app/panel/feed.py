"""Keeps a panel up to date, on threads of its own: no cell computes, asks or sends anything for it.

A cell only sets an event. What follows is coalesced: at most four views a second, and after each a pause of ten times
what it took, so that the panel never has more than a tenth of the interpreter. Finding hidden state takes longest and
waits for a pause between cells, or a cell that runs long. The store may be slow or away, and is asked on a thread of
its own; until it has answered, the panel goes without what it knows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from msgspec.structs import replace

from nbmlops.app.panel.model import PanelView, Progress
from nbmlops.app.panel.view import Moment, panel_view, with_fault
from nbmlops.app.session.current import current_session
from nbmlops.app.session.session import NotebookSession
from nbmlops.app.session.surroundings import Surroundings
from nbmlops.core.errors import NbmlopsError
from nbmlops.core.threads import own_work

_BETWEEN = 0.25  # seconds from one view to the next
_SHARE = 10  # of the time that a view took, as a pause after it
_QUIET = 1.0  # seconds without a change after which the notebook's file gets the view, too
_ASK_AGAIN = 30.0  # seconds after which the store may know something new


class PanelFeed:
    """The views of one panel, as the notebook's run goes on.

    Args:
        show: Takes each view that differs from the one before; called on the thread.
        keep: Takes a view when things are quiet, for the notebook's file; likewise.
    """

    def __init__(self, show: Callable[[PanelView], None], keep: Callable[[PanelView], None]) -> None:
        self._show, self._keep = show, keep
        self._session = current_session()
        self._wake = threading.Event()
        self._closed = False
        self._around: Surroundings | None = None
        self._asker: threading.Thread | None = None
        self._ask_at = 0.0
        self._hidden = HiddenStateTurn()
        self._fault = ""
        self.progress = Progress()
        self.view = self._whole = panel_view(self.moment())

    def start(self) -> None:
        """Begins to follow."""
        threading.Thread(target=self._work, name="nbmlops-panel", daemon=True).start()
        self._wake.set()

    def close(self) -> None:
        """Ends following."""
        self._closed = True
        self._wake.set()

    def changed(self, session: NotebookSession) -> bool:
        """Takes note that a session may have changed; returns whether this panel still follows."""
        if session is not self._session:
            self._session, self._hidden = session, HiddenStateTurn()
            self._around, self._fault, self._ask_at = None, "", 0.0  # they were those of another run
        self._wake.set()
        return not self._closed

    def set_progress(self, progress: Progress) -> None:
        """Takes what became of the buttons; the store may know something new then."""
        self.progress = progress
        self._ask_at = 0.0
        self._wake.set()

    def moment(self) -> Moment:
        """Returns what is known now, without asking anybody."""
        session = self._session
        if session is None:
            return Moment(progress=self.progress, fault=self._fault)
        preview = session.preview() if self._around is not None else None
        return Moment(
            status=replace(session.facts(), reproducible=self._hidden.answer, preview=preview),
            series=session.series,
            surroundings=self._around,
            cells=session.cells,
            made=session.made,
            running=session.busy,
            progress=self.progress,
            fault=self._fault,
        )

    def _work(self) -> None:
        with own_work():
            kept = self.view
            while not self._closed:
                waits = self._hidden.is_late or self.view != kept
                woken = self._wake.wait(_QUIET if waits else None)
                if woken:
                    time.sleep(_BETWEEN / 2)  # what belongs together comes together
                self._wake.clear()
                took = self.refresh()
                quiet = not woken and not self._moves()
                if self.view != kept and (quiet or _milestone(self.view) != _milestone(kept)):
                    kept = self.view
                    self._keep(kept)
                time.sleep(max(_BETWEEN / 2, _SHARE * took))

    def _moves(self) -> bool:
        return bool(self.progress.busy) or (self._session is not None and self._session.busy)

    def refresh(self) -> float:
        """Shows what has changed; returns the seconds that it took, without those for hidden state."""
        session = self._session
        try:
            if session is not None:
                self._hidden.look(session)
                self._ask(session)
            began = time.thread_time()
            view = panel_view(self.moment())
        except Exception as error:  # noqa: BLE001  # a thread has nobody above it that could tell; the panel tells
            began = time.thread_time()
            view = with_fault(self._whole, f"{type(error).__name__}: {error}")
        else:
            self._whole = view
        if view != self.view:
            self.view = view
            self._show(view)
        return time.thread_time() - began

    def _ask(self, session: NotebookSession) -> None:
        """Has the store asked, on a thread that nobody waits for."""
        asks = self._asker is not None and self._asker.is_alive()
        if asks or not session.is_open or time.monotonic() < self._ask_at:
            return
        self._ask_at = time.monotonic() + _ASK_AGAIN
        self._asker = threading.Thread(target=self._ask_store, args=(session,), name="nbmlops-asks", daemon=True)
        self._asker.start()

    def _ask_store(self, session: NotebookSession) -> None:
        around, fault = None, ""
        with own_work():
            try:
                around = session.surroundings()
            except NbmlopsError as error:
                fault = f"champion and earlier runs: {error.message}"
            except Exception as error:  # noqa: BLE001  # as in `refresh`
                fault = f"champion and earlier runs: {type(error).__name__}: {error}"
        if session is self._session:  # another run may have begun meanwhile
            self._around, self._fault = around or self._around, fault
            if around is None and not fault:  # the run has not begun in the store
                self._ask_at = time.monotonic() + _QUIET
        self._wake.set()


def _milestone(view: PanelView) -> object:
    """Returns what the notebook's file should have at once: the verdict, what was registered, how the run stands.

    A notebook that is executed by a program has no quiet moment.
    """
    verdict = [section.badge for section in view.sections if section.key == "gate"]
    return view.state, verdict, [value for name, value in view.facts if name == "registered"]


class HiddenStateTurn:
    """Finds hidden state when nobody is held up by it: between cells, or while a cell runs long."""

    def __init__(self) -> None:
        self.answer = ""
        self.is_late = False
        self._cost = 0.05
        self._busy_since = 0.0

    def look(self, session: NotebookSession) -> None:
        """Looks for it, now or at a later call."""
        now = time.monotonic()
        if not session.busy:
            self._busy_since = 0.0
        elif not self._busy_since:
            self._busy_since = now
        self.is_late = bool(self._busy_since) and now - self._busy_since < _SHARE * self._cost
        if self.is_late:
            return
        began = time.thread_time()
        self.answer = session.reproducible()
        took = time.thread_time() - began
        self._cost = max(took, self._cost / 2)
        if session.busy:
            self._busy_since = time.monotonic()
