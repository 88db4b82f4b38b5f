"""Threads of our own in a process of the user's: what they do is not what the user's code does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
