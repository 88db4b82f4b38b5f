"""Locks for file systems without locks: each holder keeps a file of its own fresh, and respects those of others.

Whoever wants to hold writes its lease first and then looks at the others: of two that come at the same time at least
one sees the other, and steps back. Nobody takes a file over, so none is ever taken from the wrong one.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import Conflict, EnvironmentFault
from nbmlops.runtime.store.store import make_private
from nbmlops.tracking.process import ProcessMark, is_gone

INTERVAL = 5.0
"""Seconds between two heartbeats."""
MISSED = 6
"""So many heartbeats must be missing until a holder on another machine counts as dead."""
_SUFFIX = ".lease"


class Lease(Struct, frozen=True):
    """What a holder says of itself.

    Attributes:
        holder: Its process.
        started: When its run started.
        shared: It tolerates others that say the same.
    """

    holder: ProcessMark
    started: str
    shared: bool

    def __str__(self) -> str:
        """Returns the holder as messages name it."""
        return f"process {self.holder.pid}, since {self.started}"


def waited_for(holder: str) -> tuple[str, str]:
    """Returns message and hint for who has waited in vain."""
    return f"another run of this pipeline is going on ({holder})", "wait until it has ended, or stop it"


def holds(lease: Lease, age: float, *, is_dead: Callable[[ProcessMark], bool] = is_gone) -> bool:
    """Returns whether a lease counts.

    Args:
        lease: What its holder wrote.
        age: Seconds since its last heartbeat, by the clock of the file system.
        is_dead: Says of a process whether it has certainly ended.
    """
    return age <= INTERVAL * MISSED and not is_dead(lease.holder)


def conflicts(mine: Lease, others: Iterable[Lease]) -> Lease | None:
    """Returns the first of the leases that count beside which mine cannot be held."""
    return next((other for other in others if not (mine.shared and other.shared)), None)


def known_leases(folder: Path, *, counting: bool) -> tuple[Lease, ...]:
    """Returns the leases in a folder that count, or those that do not any more; takes none away.

    Args:
        folder: Where they are; it need not be there.
        counting: Which ones.
    """
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        with suppress(FileNotFoundError):  # given back meanwhile
            lease, age = _read(path), time.time() - path.stat().st_mtime
            if holds(lease, age) is counting:
                found.append(lease)
    return tuple(found)


@contextmanager
def leased(folder: Path, lease: Lease, wait: float, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Holds a lease while its body runs.

    Args:
        folder: Where the leases are.
        lease: What this holder says of itself.
        wait: Seconds to wait for others.
        on_wait: Called once with a description of the holder before waiting.

    Raises:
        Conflict: another one held a lease for all that time.
        EnvironmentFault: the folder cannot be written.
        OSError: it cannot be made or read.
    """
    make_private(folder)
    path = folder / f"{secrets.token_hex(8)}{_SUFFIX}"
    end, told = time.monotonic() + wait, False
    while True:
        _write(path, lease)
        other = conflicts(lease, _others(folder, path))
        if other is None:
            break
        path.unlink(missing_ok=True)
        if time.monotonic() >= end:
            raise Conflict(*waited_for(str(other)))
        if not told:
            on_wait(str(other))
            told = True
        time.sleep(
            0.1 + secrets.randbelow(300) / 1000
        )  # two that step back at the same time come again at different ones
    over = threading.Event()
    heart = threading.Thread(target=_beat, args=(path, lease, over), name="nbmlops-lease", daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()
        path.unlink(missing_ok=True)


def _beat(path: Path, lease: Lease, over: threading.Event) -> None:
    while not over.wait(INTERVAL):
        # A disk that fails now fails the run, too; one that comes back finds the heart beating.
        with suppress(OSError, EnvironmentFault):
            try:
                os.utime(path)
            except FileNotFoundError:  # this machine slept for too long, and somebody cleaned up
                _write(path, lease)


def _others(folder: Path, own: Path) -> Iterator[Lease]:
    """Yields the leases of others that count, and removes those that do not."""
    now = own.stat().st_mtime  # by the clock that stamps theirs
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            found, age = _read(path), now - path.stat().st_mtime
        except FileNotFoundError:
            continue  # given back meanwhile
        if path == own:
            continue
        if holds(found, age):
            yield found
        else:
            path.unlink(missing_ok=True)


def _write(path: Path, lease: Lease) -> None:
    document = {"holder": asdict(lease.holder), "started": lease.started, "shared": lease.shared}
    write_atomically(path, json.dumps(document).encode(), mode=0o600)


def _read(path: Path) -> Lease:
    """Returns what a holder says; of what nobody can read only the age counts."""
    try:
        found = json.loads(path.read_bytes())
        holder = ProcessMark(int(found["holder"]["pid"]), str(found["holder"]["host"]), str(found["holder"]["start"]))
        return Lease(holder, str(found["started"]), found["shared"] is True)
    except (ValueError, KeyError, TypeError):
        return Lease(ProcessMark(0, ""), "an unknown time", shared=False)
