"""Cleaning up: which stored results of a project, or of a shared store, nothing needs any more, and removing them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from nbmlops.app.config.config import load_config
from nbmlops.app.project import STATE_FOLDER, find_root, pipeline_names
from nbmlops.app.running.results import ResultsIndex
from nbmlops.core.errors import UsageError
from nbmlops.runtime.store.garbage import Garbage, Keep, collect
from nbmlops.runtime.store.shared_files import address_of, shown
from nbmlops.runtime.store.shared_garbage import YOUNG, SharedKeep, collect_shared

KEPT_RUNS = 5
KEPT_AGE = "30d"
CONFIGURED = "[run] store"
"""Named in the place of an address: the shared store of the configuration."""
_AGE = re.compile(r"(\d+)\s*([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}


class GcOutcome(Struct, frozen=True):
    """What can go, or went; the pipelines' registered runs are counted in `registered`.

    `store` is the shared store that was cleaned, fit to be shown, "" for the project's own.
    """

    garbage: Garbage
    removed: bool
    registered: int
    store: str = ""


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
    registered, keys = _registered(root)
    return GcOutcome(collect(root, Keep(newest, since, keys), now, remove=remove), remove, registered)


def collect_store_garbage(cwd: Path, store: str, keep_runs: int | None, older_than: str, *, remove: bool) -> GcOutcome:
    """Returns what nobody needs of a shared store any more, after it was removed if asked.

    Args:
        cwd: A folder of the project.
        store: The store, a URL or a folder; `CONFIGURED` for that of the configuration.
        keep_runs: How many runs of each pipeline are kept; None for none.
        older_than: As for `collect_garbage`; "" for 30 days, or for none where `keep_runs` says what stays.
        remove: Remove it.

    Raises:
        UsageError: the age or the address is written in another way, or the configuration names no store.
        ConfigError: the configuration is malformed.
        EnvironmentFault: the store cannot be used.
    """
    root, now = find_root(cwd), datetime.now(UTC)
    address = address_of(store, cwd) if store != CONFIGURED else _configured(root)
    older_than = older_than or (KEPT_AGE if keep_runs is None else "")
    age = _age(older_than) if older_than else None
    if age is not None and age.total_seconds() < YOUNG:
        raise UsageError(
            f"what a shared store got in the last {YOUNG / 3600:.0f} hours may be in use, so it stays",
            "give 2d or more",
        )
    registered, keys = _registered(root)
    keep = SharedKeep(keep_runs or 0, now - age if age is not None else None, keys)
    return GcOutcome(collect_shared(address, keep, now, remove=remove), remove, registered, shown(address))


def _configured(root: Path) -> str:
    """Returns the address of the shared store that the configuration names.

    Raises:
        UsageError: it names none, or several.
    """
    config = load_config(root)
    stores = {config.for_pipeline(name).store for name in ("", *pipeline_names(root))} - {""}
    if len(stores) != 1:
        what = "several shared stores" if stores else "no shared store"
        raise UsageError(f"the configuration names {what}", "name it: nbmlops gc --store URL")
    return address_of(stores.pop(), root)


def _registered(root: Path) -> tuple[int, frozenset[str]]:
    """Returns how many runs of the project have registered a model, and the keys of their steps."""
    cache = root / STATE_FOLDER / "cache"
    folders = sorted(cache.iterdir()) if cache.is_dir() else []
    registered = [record for folder in folders for record in ResultsIndex(root, folder.name).registered()]
    return len(registered), frozenset(step.key for record in registered for step in record.steps)


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no age", "write hours, days or weeks: 12h, 30d, 8w")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])
