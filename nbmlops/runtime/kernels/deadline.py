"""The time that a step may take: when it is over, its process is asked to stop, then told to, then killed.

The signals go to its process group, so that the programs it has started end as well. What its cells showed until then
is kept, because the kernel's death ends the execution like an error does.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from nbmlops.runtime.kernels.keeper import end_group

GRACE = 3.0
"""Seconds between one signal and the next: Ctrl-C for cells that can be interrupted, a request, the end."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class Deadline:
    """Watches the clock from `begin` to the end of its body.

    Args:
        seconds: How long it may take; None for any time.
        group: Gives the process group to end.
        grace: Seconds between the signals.
    """

    def __init__(self, seconds: float | None, group: Callable[[], int | None], grace: float = GRACE) -> None:
        self._seconds, self._group, self._grace = seconds, group, grace
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="nbmlops-deadline", daemon=True)
        self.has_passed = False

    def __enter__(self) -> Self:
        return self

    def begin(self, **_: object) -> None:
        """Starts the clock, if it does not run yet; that the process starts is not counted."""
        if self._seconds is not None and self._thread.ident is None:
            self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        if self._over.wait(self._seconds):
            return
        self.has_passed = True
        group = self._group()
        for number in _SIGNALS:
            if group is not None:
                end_group(group, number)
            if self._over.wait(self._grace):
                return
