"""Threads of our own: what they do in a process of the user's is not what the user's code does; how they take turns."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_TURN = 0.001  # seconds

OWN_THREADS: set[int] = set()
"""Identities of the threads that work for nbmlops right now."""


@contextmanager
def own_work() -> Iterator[None]:
    """Marks what this thread does in the block as ours."""
    thread = threading.get_ident()
    nested = thread in OWN_THREADS
    OWN_THREADS.add(thread)
    try:
        yield
    finally:
        if not nested:
            OWN_THREADS.discard(thread)


@contextmanager
def short_turns() -> Iterator[None]:
    """Has threads that compute let others go on after a millisecond, where Python gives them five, while in the block.

    A thread that speaks to a step's process waits dozens of times for a moment; each time it would wait for a thread
    that imports MLflow meanwhile (measured: 10 ms a time, with this 3 ms, and the import takes no longer).
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, _TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
