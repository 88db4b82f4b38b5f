"""Interruptions that leave no lock behind: one that falls into the machinery of imports comes a moment later."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_MACHINERY = "<frozen importlib._bootstrap>"
_SOON = 0.01  # seconds


def comes_later(number: int, frame: FrameType | None) -> bool:
    """Returns whether the signal was put off, since Python is inside of its import machinery.

    An exception between its taking the lock of all imports and the `try` that gives it back would leave that lock held,
    and every other thread that imports would wait for ever (`_get_module_lock` in CPython's `importlib._bootstrap`).

    Args:
        number: The signal.
        frame: Where it found the main thread.
    """
    if frame is None or frame.f_code.co_filename != _MACHINERY:
        return False
    later = threading.Timer(_SOON, os.kill, (os.getpid(), number))
    later.daemon = True
    later.start()
    return True


@contextmanager
def careful_interrupts() -> Iterator[None]:
    """Makes Ctrl-C do what it does but for that, while the body runs; only where nobody has changed what it does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not comes_later(number, frame):
            raise KeyboardInterrupt

    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
