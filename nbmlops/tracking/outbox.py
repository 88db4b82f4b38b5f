"""Sends what a notebook's run has to tell, in order, on a thread of its own, so that no cell waits for a store.

An entry is first written to the spool and then sent. A store that is away is tried again after a pause, which grows; an
entry that a store refuses for good is told and passed over. What is not sent when the process ends stays in the spool.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from nbmlops.core.errors import EnvironmentFault, NbmlopsError, StoreAway
from nbmlops.core.threads import own_work
from nbmlops.tracking.redacted import redact_entry
from nbmlops.tracking.redaction import process_redactor
from nbmlops.tracking.spool import Entry, Spool

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0

Send = Callable[[Entry], None]


class Outbox:
    """The way of one run's entries to its store. The thread starts with the first entry.

    Args:
        spool: Where entries are kept until they are sent.
        send: Sends one entry; called on the thread.
        pause: Seconds to wait after the first failure.
    """

    def __init__(self, spool: Spool, send: Send, pause: float = _FIRST_PAUSE) -> None:
        self._spool = spool
        self._send = send
        self._pause = pause
        self._changed = threading.Condition()
        self._order = threading.Lock()  # entries wait in the order of their numbers, whichever threads put them
        self._waiting: deque[tuple[int, Entry]] = deque()
        self._tries = self._failures = 0
        self._poked = self._closed = False
        self._trouble: NbmlopsError | None = None
        self._told = ""
        self._refused: list[NbmlopsError] = []
        self._worker: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many entries are not yet in the store."""
        return len(self._waiting)

    @property
    def trouble(self) -> NbmlopsError | None:
        """Why they are not, or None."""
        return self._trouble

    def put(self, entry: Entry, *, wake: bool = True) -> None:
        """Takes an entry, which is sent after those before it, without secrets.

        Args:
            entry: What is to be sent.
            wake: Send it now; otherwise with the next one.

        Raises:
            EnvironmentFault: it cannot be kept on the disk; it is sent nevertheless.
        """
        entry = redact_entry(entry, process_redactor())
        number = 0
        with self._order:
            try:
                number = self._spool.append(entry)
            finally:
                self._take(number, entry, wake=wake)

    def _take(self, number: int, entry: Entry, *, wake: bool) -> None:
        with self._changed:
            self._waiting.append((number, entry))
            if wake:
                self._changed.notify_all()
            if self._worker is None and not self._closed:
                self._worker = threading.Thread(target=self._work, name="nbmlops-outbox", daemon=True)
                self._worker.start()

    def news(self) -> NbmlopsError | None:
        """Returns what the user has not been told yet of what goes wrong, or None."""
        with self._changed:
            if self._refused:
                return self._refused.pop(0)
            trouble = self._trouble
            if trouble is None or str(trouble) == self._told:
                return None
            self._told = str(trouble)
            return trouble

    def settle(self, seconds: float) -> None:
        """Waits until every entry is in the store; a store that was away is tried again now.

        Raises:
            NbmlopsError: an entry was refused; told once.
            EnvironmentFault: the store cannot be used.
            StoreAway: it did not take everything in this time.
        """
        end = time.monotonic() + seconds
        with self._changed:
            tries = self._tries
            self._poked = True
            self._changed.notify_all()
            while self._waiting:
                if self._trouble is not None and self._tries > tries:
                    raise self._trouble
                if not self._changed.wait(max(0.0, end - time.monotonic())) and time.monotonic() >= end:
                    raise self._trouble or StoreAway(
                        f"the tracking store did not take everything within {seconds:g} seconds",
                        "wait and run the cell again; what waits is kept, `nbmlops sync` sends it later",
                    )
            if self._refused:
                raise self._refused.pop(0)

    def close(self, *, remove: bool = False) -> None:
        """Ends the thread as soon as its call to the store comes back; what waits stays in the spool.

        Args:
            remove: Remove the spool if nothing waits.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        with self._order:
            if remove and not self._waiting:
                self._spool.remove()
            else:
                self._spool.close()

    def _work(self) -> None:
        with own_work():
            self._send_all()

    def _send_all(self) -> None:
        while (first := self._next()) is not None:
            try:
                self._send(first[1])
            except EnvironmentFault as error:
                self._pause_after(error)
                continue
            except NbmlopsError as error:
                with self._changed:
                    self._refused.append(error)
            except Exception as error:  # noqa: BLE001 - a thread has nobody above it that could tell of it
                self._pause_after(StoreAway(f"the tracking store cannot be used: {type(error).__name__}: {error}"))
                continue
            self._done()

    def _next(self) -> tuple[int, Entry] | None:
        with self._changed:
            while not self._closed and not self._waiting:
                self._changed.wait()
            return None if self._closed else self._waiting[0]

    def _done(self) -> None:
        with self._changed:
            number, _ = self._waiting.popleft()
            self._tries += 1
            self._failures = 0
            self._trouble = None
            if number and not self._closed:
                self._spool.mark_sent(number)
            self._changed.notify_all()

    def _pause_after(self, error: NbmlopsError) -> None:
        with self._changed:
            self._poked = False
            self._tries += 1
            self._failures += 1
            self._trouble = error
            self._changed.notify_all()
            pause = min(_LONGEST_PAUSE, self._pause * 2 ** min(self._failures - 1, 10))
            self._changed.wait_for(lambda: self._poked or self._closed, pause)
