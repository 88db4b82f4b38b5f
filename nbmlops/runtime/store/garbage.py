"""What the store of a project no longer needs: found first, removed when asked, beside runs that go on.

The roots are the latest record of each step, the records of the runs that are kept, and those with the keys that were
asked for. Whatever a root mentions stays; so does everything young, because a step stores its values before anybody
has written a record of them, and everything of a pipeline that is being run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field

from nbmlops.core.errors import Conflict, EnvironmentFault
from nbmlops.runtime.layout import LOCK_FILE, RUNS_FOLDER, STATE_FOLDER
from nbmlops.runtime.lock import locked
from nbmlops.runtime.reuse.cache import read_records, text_of, write_records
from nbmlops.runtime.store.store import QUARANTINE, UNFINISHED

_ADDRESS = re.compile(rb"[0-9a-f]{64}")
_PREDICTIONS, _SPOOL = "predictions", "spool"
_UPLOADED = 24 * 3600.0
"""Seconds after which a run has taken its copy of predictions, also one that a long cell has logged."""
_RUN = re.compile(r"(\d{8}T\d{6}Z)-")


class Waste(StrEnum):
    """Why something goes."""

    RECORD = "records of runs that are not kept"
    OBJECT = "values that no kept record mentions"
    PREDICTIONS = "predictions that no kept run mentions"
    DAMAGED = "damaged values that were put aside"
    BROKEN = "records that are damaged or whose values are gone"
    LEFTOVER = "leftovers of writers that were killed"


class Keep(Struct, frozen=True):
    """What is kept beside the latest record of each step.

    Attributes:
        newest: This many runs of each pipeline.
        since: Runs that began at this time or later; None for no such runs.
        keys: Records with one of these keys.
        young: Seconds; what was written since then stays.
    """

    newest: int
    since: datetime | None = None
    keys: frozenset[str] = frozenset()
    young: float = 3600.0


class Garbage(Struct, frozen=True):
    """What goes.

    Attributes:
        files: Path -> why it goes.
        sizes: Path -> bytes, for each of the files.
        records: File of records -> the runs whose records stay in it, where others go.
        busy: Pipelines that are being run, of which everything stays.
    """

    files: Mapping[Path, Waste] = field(default_factory=dict)
    sizes: Mapping[Path, int] = field(default_factory=dict)
    records: Mapping[Path, frozenset[str]] = field(default_factory=dict)
    busy: tuple[str, ...] = ()

    def counts(self) -> dict[Waste, tuple[int, int]]:
        """Returns for each reason the number of files and of bytes; files of records may stay in part."""
        sizes = {why: [self.sizes[path] for path, found in self.files.items() if found is why] for why in Waste}
        counts = {why: (len(found), sum(found)) for why, found in sizes.items()}
        number, size = counts[Waste.RECORD]
        return counts | {Waste.RECORD: (number + len(self.records), size)}


def collect(root: Path, keep: Keep, now: datetime, *, remove: bool) -> Garbage:
    """Returns what the project at `root` does not need, after it was removed if asked.

    No pipeline begins to run meanwhile, which takes seconds; those that are being run keep everything.

    Args:
        root: The project's root.
        keep: What stays.
        now: The time.
        remove: Remove it, too.

    Raises:
        EnvironmentFault: something cannot be removed.
    """
    state = root / STATE_FOLDER
    names = sorted({path.name for kind in ("cache", "state") for path in _entries(state / kind) if path.is_dir()})
    before = now.timestamp() - keep.young
    with ExitStack() as held:
        busy = tuple(name for name in names if not _hold(held, state / "state" / name / LOCK_FILE, now))
        search = _Search(root, keep, before, busy)
        mentioned = {address for name in names for address in search.sift(name)}
        search.find_unmentioned(state / "store", mentioned)
        if not busy:  # a step that runs has logged predictions of which there is no record yet
            search.find_predictions(state, mentioned)
        garbage = Garbage(search.files, search.sizes, search.records, busy)
        if remove:
            _remove(garbage, before)
    return garbage


def _hold(held: ExitStack, path: Path, now: datetime) -> bool:
    try:
        held.enter_context(locked(path, now.isoformat(), 0.0, lambda _: None))
    except Conflict:
        return False
    return True


class _Search:
    """Looks through a project for what goes; see `Garbage` for what it finds."""

    def __init__(self, root: Path, keep: Keep, before: float, busy: tuple[str, ...]) -> None:
        self._root, self._keep, self._before, self._busy = root, keep, before, busy
        self.files: dict[Path, Waste] = {}
        self.sizes: dict[Path, int] = {}
        self.records: dict[Path, frozenset[str]] = {}

    def sift(self, pipeline: str) -> Iterator[str]:
        """Yields what the records of a pipeline that stay mention; notes those that go."""
        cache, state = (self._root / STATE_FOLDER / kind / pipeline for kind in ("cache", "state"))
        latest = {(record.key, record.run) for path in _files(state) for record in read_records(path)}
        for path in (*_files(cache), *_files(state)):
            if path.name.startswith("."):
                self._note(path, Waste.LEFTOVER)
        for path in _files(state):
            yield from _addresses(path)
        kept = frozenset(_kept_runs(cache, self._keep))
        documents = (path for run in kept for path in _files(self._root / RUNS_FOLDER / pipeline / run))
        keys = self._keep.keys.union(*map(_addresses, documents))
        for path in _files(cache):
            records = read_records(path)
            runs = {record.run for record in records}
            staying = kept | {run for key, run in latest if key == path.stem}
            if pipeline in self._busy or path.stem in keys or runs <= staying or _stat(path)[1] >= self._before:
                yield from _addresses(path)  # whatever is in it, also where this version of the program cannot read it
            elif runs.isdisjoint(staying):
                self._note(path, Waste.RECORD)
            else:
                self.records[path] = frozenset(runs & staying)
                yield from mentioned_in(text_of(record for record in records if record.run in staying))

    def find_unmentioned(self, store: Path, mentioned: set[str]) -> None:
        """Notes the objects that nothing mentions, and what is no object."""
        for path in _files(store):
            if path.name.startswith(UNFINISHED):
                self._note(path, Waste.LEFTOVER)
        for folder in _entries(store):
            for path in _entries(folder) if folder.is_dir() else ():
                if folder.name == QUARANTINE:
                    self._note(path, Waste.DAMAGED)
                elif folder.name + path.name not in mentioned:
                    self._note(path, Waste.OBJECT)

    def find_predictions(self, state: Path, mentioned: set[str]) -> None:
        """Notes the predictions that no record and no spool mentions: their runs have copies of their own."""
        waiting = {address for path in _files(state / _SPOOL) for address in _addresses(path)}
        for path in _files(state / _PREDICTIONS):
            if path.stem not in mentioned | waiting:
                self._note(path, Waste.PREDICTIONS, max(_UPLOADED - self._keep.young, 0.0))

    def _note(self, path: Path, why: Waste, older: float = 0.0) -> None:
        size, changed = _stat(path)
        if changed < self._before - older:
            self.files[path], self.sizes[path] = why, size


def _kept_runs(cache: Path, keep: Keep) -> Iterator[str]:
    runs = {record.run for path in _files(cache) for record in read_records(path)}
    for number, run in enumerate(sorted(runs, reverse=True)):
        if number < keep.newest or _is_since(run, keep.since):
            yield run


def _is_since(run: str, since: datetime | None) -> bool:
    begun = _RUN.match(run)
    if begun is None:
        return True  # a name of another kind: nobody knows how old the run is
    return since is not None and datetime.strptime(begun[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) >= since


def _remove(garbage: Garbage, before: float) -> None:
    # Records first: who looks for a value from now on does not find one that is about to go.
    for path, runs in garbage.records.items():
        write_records(path, [record for record in read_records(path) if record.run in runs])
    for path in sorted(garbage.files, key=lambda path: garbage.files[path] is not Waste.RECORD):
        try:
            _remove_old(path, before)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot remove {path}: {error.strerror or error}", "make the project's folder writable"
            ) from error


def _remove_old(path: Path, before: float) -> None:
    """Removes a file unless somebody has made it young: a step that stored the same value at this very moment."""
    aside = path.with_name(f"{UNFINISHED}{path.name}")
    try:
        path.replace(aside)
        if _stat(aside)[1] >= before:
            aside.replace(path)
        else:
            aside.unlink()
    except FileNotFoundError:
        return  # another cleaning has taken it


def _addresses(path: Path) -> set[str]:
    try:
        return mentioned_in(path.read_bytes())
    except OSError:
        return set()  # gone, or written anew, and what it mentions then is young


def mentioned_in(text: bytes) -> set[str]:
    """Returns the addresses of objects in the text of records."""
    # All that looks like an address counts as one: a record of another version may have fields that are unknown here.
    return {found.decode() for found in _ADDRESS.findall(text)}


def _stat(path: Path) -> tuple[int, float]:
    """Returns size and time of change; of what is gone, that it is as young as can be."""
    try:
        found = path.lstat()
    except OSError:
        return 0, float("inf")
    return found.st_size, found.st_mtime


def _files(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if path.is_file() and path.name != LOCK_FILE]


def _entries(folder: Path) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
