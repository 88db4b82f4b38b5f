"""One run of a pipeline at a time: a lock file that the system frees when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nbmlops.core.errors import Conflict, EnvironmentFault
from nbmlops.runtime.store import make_private

_POLL_SECONDS = 0.2


@contextmanager
def locked(
    path: Path, started: str, wait: float, on_wait: Callable[[str], None], *, shared: bool = False
) -> Iterator[None]:
    """Holds the lock while its body runs.

    Args:
        path: The lock file.
        started: When this run started, for the message to others.
        wait: Seconds to wait for another holder.
        on_wait: Called once with a description of the holder before waiting.
        shared: Others may hold it in the same way at the same time.

    Raises:
        Conflict: another run held the lock for all that time.
        EnvironmentFault: the lock file cannot be made.
    """
    try:
        make_private(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot make {path}: {error.strerror or error}", "make the project's folder writable"
        ) from error
    try:
        _acquire(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, wait, on_wait)
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "started": started}).encode(), 0)
        yield
    finally:
        os.close(handle)  # frees the lock; the file stays, so that nobody locks one that is being removed


def _acquire(handle: int, how: int, wait: float, on_wait: Callable[[str], None]) -> None:
    end, told = time.monotonic() + wait, False
    while True:
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= end:
                raise Conflict(
                    f"another run of this pipeline is going on ({_holder(handle)})",
                    "wait until it has ended, or stop it",
                ) from error
        else:
            return
        if not told:
            on_wait(_holder(handle))
            told = True
        time.sleep(_POLL_SECONDS)


def _holder(handle: int) -> str:
    try:
        found = json.loads(os.pread(handle, 1000, 0))
        return f"process {found['pid']}, since {found['started']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
