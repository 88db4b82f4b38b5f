"""A lock between processes of one machine, let go by the system when its holder ends, however it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nbmlops.core.errors import EnvironmentFault

_PAUSE = 0.05

if sys.platform == "win32":
    import msvcrt

    def _try(stream: IO[bytes]) -> bool:
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(stream: IO[bytes]) -> bool:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_locked(path: Path) -> bool:
    """Returns whether a process holds the lock on a file; False for one that is not there or cannot be read."""
    try:
        with path.open("rb+") as stream:
            return not _try(stream)
    except OSError:
        return False


@contextmanager
def file_lock(path: Path, seconds: float) -> Iterator[None]:
    """Holds the lock on a file, which is made if needed and left behind.

    Args:
        path: The file; nothing else is kept in it.
        seconds: How long to wait for another holder.

    Raises:
        EnvironmentFault: another process held it all the time, or the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab")
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror}", "make the folder writable") from error
    with stream:
        end = time.monotonic() + seconds
        while not _try(stream):
            if time.monotonic() > end:
                raise EnvironmentFault(
                    f"another process has held {path} for {seconds:g} seconds",
                    "wait for it to finish, or end it, and try again",
                )
            time.sleep(_PAUSE)
        yield
