"""One run of a pipeline at a time: a lock that the system frees when its holder dies; leases where it has none."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nbmlops.core.errors import Conflict, EnvironmentFault
from nbmlops.runtime.leases import Lease, known_leases, leased, waited_for
from nbmlops.runtime.store.store import make_private
from nbmlops.tracking.process import this_process

_POLL_SECONDS = 0.2
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


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
    with ExitStack() as held:
        held.callback(os.close, handle)  # frees the lock; the file stays, so that nobody locks one that is removed
        if _acquire(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, wait, on_wait):
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps({"pid": os.getpid(), "started": started}).encode(), 0)
        else:
            lease = Lease(this_process(), started, shared)
            held.enter_context(leased(path.with_name(f"{path.name}.leases"), lease, wait, on_wait))
        yield


def is_held(path: Path) -> bool:
    """Returns whether a run holds the lock now.

    Args:
        path: The lock file, which need not be there.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks: leases tell
        return bool(known_leases(path.with_name(f"{path.name}.leases"), counting=True))
    finally:
        os.close(handle)  # frees it
    return False


def _acquire(handle: int, how: int, wait: float, on_wait: Callable[[str], None]) -> bool:
    """Returns whether the lock is held; if not, the file system has none.

    Raises:
        Conflict: another run held it for all that time.
        OSError: the disk is broken.
    """
    end, told = time.monotonic() + wait, False
    while True:
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= end:
                raise Conflict(*waited_for(_holder(handle))) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return False
        else:
            return True
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
