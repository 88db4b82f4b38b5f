"""What this machine has to give to steps that run at once: cores and memory, as far as this process may use them."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

_MEMORY = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")
_LIMITS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))


def usable_cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def peak_memory() -> int:
    """Returns the bytes that this process and the largest of those it started and waited for took at most."""
    found = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(found) * (1 if sys.platform == "darwin" else 1024)


def available_memory(memory: Path = _MEMORY, group: Path = _GROUP) -> int:
    """Returns the bytes that are free for new processes, 0 where the system does not tell.

    Args:
        memory: Where the system tells of all of it.
        group: The control group of a container, in which all that can be seen is its own.
    """
    found = [_available(memory), *(_left(group / limit, group / usage) for limit, usage in _LIMITS)]
    return min((size for size in found if size > 0), default=0)


def _available(path: Path) -> int:
    try:
        rows = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        return int(rows["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, LookupError):
        return 0


def _left(limit: Path, usage: Path) -> int:
    try:
        most = limit.read_text().strip()
        # "max", or a number beyond any memory, stands for no limit.
        return int(most) - int(usage.read_text()) if most.isdigit() and int(most) < 1 << 60 else 0
    except (OSError, ValueError):
        return 0
