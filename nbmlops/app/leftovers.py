"""What processes that were killed have left behind in a project, and which command takes it away. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from nbmlops.app.project import SPOOLS, STATE_FOLDER
from nbmlops.registry.lease import left_behind
from nbmlops.registry.registry import LEASE_PREFIX, NameEntry
from nbmlops.tracking.file_lock import is_locked
from nbmlops.tracking.process import is_gone, mark_of
from nbmlops.tracking.spool import Spooled, find_spools, read_spool
from nbmlops.tracking.sqlite_store import model_tags, running_runs
from nbmlops.tracking.uri import sqlite_path


class Leftover(Struct, frozen=True):
    """Something that waits to be finished, sent or removed: what it is, and what to do, "" for nothing."""

    found: str
    advice: str = ""


def killed_runs(root: Path, stores: Iterable[str]) -> Iterator[Leftover]:
    """Yields the runs of pipelines and notebooks whose process is gone without having ended them.

    Args:
        root: The project's root.
        stores: Addresses of its tracking stores; of SQLite files the runs are known here, of servers they are not.
    """
    for folder in _states(root):
        from nbmlops.runtime.layout import BEGUN_FILE, LOCK_FILE  # noqa: PLC0415 - a project that never ran has none
        from nbmlops.runtime.lock import is_held  # noqa: PLC0415 - likewise

        note = folder / BEGUN_FILE
        if note.exists() and not is_held(folder / LOCK_FILE):
            yield Leftover(
                f"{_run_of(note)} of pipeline {folder.name} was killed",
                f"nbmlops run {folder.name} ends it in the store, and goes on with the steps that it finished",
            )
    for path in _files(stores):
        for run in running_runs(path):
            if is_gone(mark_of(run.tags)):
                yield Leftover(
                    f"run {run.name or run.run_id} counts as running in {path.name}, but its process is gone",
                    "nbmlops sync ends it where its spool is left, else the next %mlops track or nbmlops run does",
                )


def waiting_spools(root: Path) -> Iterator[Leftover]:
    """Yields the spools of notebooks' runs that hold what the store does not have yet.

    Args:
        root: The project's root.
    """
    folder = root / SPOOLS
    for key in find_spools(folder):
        spooled = read_spool(folder / f"{key}.jsonl")
        waiting, name = len(spooled.waiting), _name_of(spooled) or key[:8]
        what = f"{waiting} {'entry' if waiting == 1 else 'entries'} of run {name}"
        if is_locked(folder / f"{key}.lock"):
            if waiting:
                yield Leftover(f"{what} not sent yet; its notebook still runs, and sends them when the store answers")
        elif waiting:
            yield Leftover(f"{what} not sent, and no notebook that would send them", "nbmlops sync sends them, once")
        else:
            yield Leftover(f"run {name} was not ended", "nbmlops sync ends it as killed")


def leftover_leases(root: Path, stores: Iterable[str]) -> Iterator[Leftover]:
    """Yields leases whose holders are gone: of runs where the file system has no locks, and of changes to a model.

    Args:
        root: The project's root.
        stores: As for `killed_runs`.
    """
    for folder in _states(root):
        from nbmlops.runtime.layout import LOCK_FILE  # noqa: PLC0415 - see above
        from nbmlops.runtime.leases import known_leases  # noqa: PLC0415 - likewise

        if count := len(known_leases(folder / f"{LOCK_FILE}.leases", counting=False)):
            yield Leftover(
                f"{count} {'lease' if count == 1 else 'leases'} of runs of {folder.name} that are over",
                f"nothing to do: the next nbmlops run {folder.name} removes them",
            )
    for path in _files(stores):
        for name, tags in model_tags(path, LEASE_PREFIX).items():
            holder, model = left_behind(NameEntry(name, tags)), name.removeprefix(LEASE_PREFIX)
            if holder is not None:
                yield Leftover(
                    f"{holder} was changing model {model}, and is gone",
                    f"the next promote, rollback or register of {model} finishes or undoes it",
                )


def _states(root: Path) -> list[Path]:
    """Returns the folders in which the pipelines of a project keep how they stand."""
    return sorted(path for path in (root / STATE_FOLDER / "state").glob("*") if path.is_dir())


def _files(stores: Iterable[str]) -> list[Path]:
    return sorted({path for uri in stores if (path := sqlite_path(uri)) is not None})


def _run_of(note: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return f"run {json.loads(note.read_bytes())['run']}"
    return "a run"


def _name_of(spooled: Spooled) -> str:
    start = spooled.entries[0][1] if spooled.entries else {}
    return str(start.get("name") or "")
