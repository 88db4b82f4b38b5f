"""How many processes the system has killed because memory ran out, where it tells: Linux, host and control group."""

from __future__ import annotations

import sys
from pathlib import Path

_HOST = Path("/proc/vmstat")
_GROUPS = Path("/sys/fs/cgroup")


def memory_kills(host: Path = _HOST, groups: Path = _GROUPS, own: Path = Path("/proc/self/cgroup")) -> int | None:
    """Returns the number of such kills so far, None where the system does not tell."""
    counts = [_count(host)] + [_count(path) for path in _events(groups, own)]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _events(groups: Path, own: Path) -> list[Path]:
    """Returns the files of this process' control group that may tell: of version 2, then of version 1."""
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        return []
    found = [groups / path.lstrip("/") / "memory.events" for _, kinds, path in lines if not kinds]
    found += [
        groups / "memory" / path.lstrip("/") / "memory.oom_control" for _, kinds, path in lines if kinds == "memory"
    ]
    # In a container the root of what can be seen is its own group.
    return list(dict.fromkeys([*found, groups / "memory.events", groups / "memory" / "memory.oom_control"]))


def _count(path: Path) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        rows = dict(line.split(None, 1) for line in path.read_text().splitlines() if line.strip())
        return int(rows["oom_kill"])
    except (OSError, ValueError, KeyError):
        return None
