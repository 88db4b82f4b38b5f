"""SIGTERM, which CI systems and service managers send, ends a run in order like Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from nbmlops.core.interrupts import comes_later


class Terminated(KeyboardInterrupt):
    """SIGTERM, taken the way of Ctrl-C."""


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Makes SIGTERM raise `Terminated` in the main thread while its body runs; does nothing in another one."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not comes_later(number, frame):
            raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
