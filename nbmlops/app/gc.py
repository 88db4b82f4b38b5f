"""Cleaning up: which stored results of a project nothing needs any more, and removing them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbmlops.app.project import STATE_FOLDER, find_root
from nbmlops.app.results import ResultsIndex
from nbmlops.core.errors import UsageError
from nbmlops.runtime.garbage import Garbage, Keep, collect

KEPT_RUNS = 5
_AGE = re.compile(r"(\d+)\s*([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}


@dataclass(frozen=True, slots=True)
class GcOutcome:
    """What can go, or went; the pipelines' registered runs are counted in `registered`."""

    garbage: Garbage
    removed: bool
    registered: int


def collect_garbage(cwd: Path, keep_runs: int | None, older_than: str, *, remove: bool) -> GcOutcome:
    """Returns what the project does not need any more, after it was removed if asked.

    Args:
        cwd: A folder of the project.
        keep_runs: How many runs of each pipeline are kept; None for 5, or for none where `older_than` says which.
        older_than: "30d", "12h", "8w": runs that are younger are kept, too; "" for no such runs.
        remove: Remove it.

    Raises:
        UsageError: the age is written in another way.
        EnvironmentFault: something cannot be removed.
    """
    root, now = find_root(cwd), datetime.now(UTC)
    since = now - _age(older_than) if older_than else None
    newest = keep_runs if keep_runs is not None else (0 if older_than else KEPT_RUNS)
    cache = root / STATE_FOLDER / "cache"
    folders = sorted(cache.iterdir()) if cache.is_dir() else []
    registered = [record for folder in folders for record in ResultsIndex(root, folder.name).registered()]
    keys = frozenset(step.key for record in registered for step in record.steps)
    return GcOutcome(collect(root, Keep(newest, since, keys), now, remove=remove), remove, len(registered))


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no age", "write hours, days or weeks: 12h, 30d, 8w")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])
