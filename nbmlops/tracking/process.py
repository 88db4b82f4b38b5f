"""Which process a run belongs to, so that a later one can tell whether it is gone."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from nbmlops.tracking.lineage import HOST, PID, PROCESS_START

_PROC = Path("/proc")


class ProcessMark(Struct, frozen=True):
    """One process for good: numbers are used again, so its start is told as well.

    Attributes:
        pid: Its number.
        host: The machine and, on Linux, the namespace in which the number means something.
        start: Boot and start time, or "" where the system does not tell.
    """

    pid: int
    host: str
    start: str = ""


def this_process() -> ProcessMark:
    """Returns the mark of the running process."""
    return ProcessMark(os.getpid(), _host(), _start_of(os.getpid()))


def is_gone(mark: ProcessMark) -> bool:
    """Returns whether the process has certainly ended; False whenever that cannot be told from here."""
    if mark.pid <= 0 or mark.host != _host():
        return False
    if not _exists(mark.pid):
        return True
    start = _start_of(mark.pid)
    return bool(mark.start and start) and mark.start != start


def mark_of(tags: Mapping[str, str]) -> ProcessMark:
    """Returns the mark that a run's tags tell; one of no process where they tell none."""
    pid = tags.get(PID, "")
    number = int(pid) if pid.isascii() and pid.isdigit() else 0
    return ProcessMark(number, tags.get(HOST, ""), tags.get(PROCESS_START, ""))


def _host() -> str:
    try:
        return f"{socket.gethostname()} {(_PROC / 'self' / 'ns' / 'pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _exists(pid: int) -> bool:
    if os.name == "nt":  # os.kill would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _start_of(pid: int) -> str:
    """Returns boot id and start time in clock ticks since boot, "" where /proc does not have them."""
    try:
        # The second field is the command in parentheses and may itself hold spaces and parentheses.
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
        return f"{boot} {fields[19]}"
    except (OSError, IndexError):
        return ""
