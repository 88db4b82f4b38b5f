"""Which records and values of a shared store may go, and removing them, while others read and write there.

No lock is held, as buckets have none. What keeps this safe is time and order. Whatever was written in the last two days
stays, and who uses a record writes it anew twice a day; so what goes is what nobody is about to need. Records go before
values; records are read again before values go and afterwards, and a writer looks at its values after its record: one
of the two sees the other, and no record is left whose value was taken. See ADR 20.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from re import fullmatch
from secrets import token_hex

from msgspec import Struct

from nbmlops.core.errors import EnvironmentFault
from nbmlops.runtime.reuse.records import CacheRecord, refs_of
from nbmlops.runtime.store.garbage import Garbage, Waste, mentioned_in
from nbmlops.runtime.store.shared_files import Entry, SharedFiles, shown
from nbmlops.runtime.store.shared_store import MOST_BYTES, OBJECTS, RECORDS, is_named, record_in
from nbmlops.runtime.store.store import UNFINISHED

YOUNG = 48 * 3600.0
"""Seconds; what was written since then stays. Above what a run may take, and the twelve hours after which it renews."""
_AT_ONCE = 500
"""So many values go between two looks at the records."""
_OBJECT = rf"{OBJECTS}/([0-9a-f]{{2}})/([0-9a-f]{{62}})"
_RECORD = rf"{RECORDS}/([^/]+)/[0-9a-f]{{64}}/([^/]+\.json)"
_LEFTOVER = rf"(?:{OBJECTS}|{RECORDS})/.*/{UNFINISHED}[^/]+"


class SharedKeep(Struct, frozen=True):
    """What is kept beside the latest record of each step and what is young.

    Attributes:
        newest: This many runs of each pipeline.
        since: Records that were written or used at this time or later; None for no such records.
        keys: Records with one of these keys.
    """

    newest: int
    since: datetime | None = None
    keys: frozenset[str] = frozenset()


class SharedRecord(Struct, frozen=True):
    """A record as it lies in the store.

    Attributes:
        pipeline: The pipeline.
        changed: When it was written, or used, last.
        record: None if it cannot be used here: it is damaged, or of another version of the program.
        mentions: All that looks like the address of an object in it.
        intact: Whether the file is what its name says.
    """

    pipeline: str
    changed: float
    record: CacheRecord | None
    mentions: frozenset[str]
    intact: bool = True


def spare(
    records: Mapping[str, SharedRecord], objects: frozenset[str], keep: SharedKeep, now: float
) -> dict[str, Waste]:
    """Returns the records, by their paths, that may go, and why.

    Args:
        records: All of the store.
        objects: Addresses of the values in it.
        keep: What stays.
        now: The time, as the store has it.
    """
    kept = {path for path, found in records.items() if found.changed > now - YOUNG}
    usable = {path: found.record for path, found in records.items() if found.record is not None}
    broken = {path for path, record in usable.items() if not {ref.digest for ref in refs_of(record.outcome)} <= objects}
    whole = {path: record for path, record in usable.items() if path not in broken}
    kept |= set(_latest(records, whole)) | {path for path, record in whole.items() if record.key in keep.keys}
    kept |= set(_newest(records, whole, keep.newest))
    if keep.since is not None:
        since = keep.since.timestamp()
        usable_still = (path for path, found in records.items() if found.intact and path not in broken)
        kept |= {path for path in usable_still if records[path].changed >= since}
    return {
        path: Waste.BROKEN if path in broken or not found.intact else Waste.RECORD
        for path, found in records.items()
        if path not in kept
    }


def _latest(records: Mapping[str, SharedRecord], whole: Mapping[str, CacheRecord]) -> Iterable[str]:
    found: dict[tuple[str, str], str] = {}
    for path in sorted(whole, key=lambda path: (whole[path].run, path)):
        found[records[path].pipeline, whole[path].step] = path
    return found.values()


def _newest(records: Mapping[str, SharedRecord], whole: Mapping[str, CacheRecord], newest: int) -> Iterator[str]:
    runs: dict[str, set[str]] = {}
    for path, record in whole.items():
        runs.setdefault(records[path].pipeline, set()).add(record.run)
    chosen = {pipeline: set(sorted(found, reverse=True)[:newest]) for pipeline, found in runs.items()}
    yield from (path for path, record in whole.items() if record.run in chosen[records[path].pipeline])


def collect_shared(address: str, keep: SharedKeep, now: datetime, *, remove: bool) -> Garbage:
    """Returns what nobody needs of the shared store at an address, after it was removed if asked.

    Args:
        address: As `address_of` gives it.
        keep: What stays.
        now: The time here; the store's own counts where it can be asked.
        remove: Remove it, too.

    Raises:
        EnvironmentFault: the store cannot be used, or does not tell when its files were written.
        UsageError: there is no such kind of address.
    """
    return _Cleaning(SharedFiles(address), keep, now.timestamp()).go(remove=remove)


class _Cleaning:
    """One cleaning of one store."""

    def __init__(self, files: SharedFiles, keep: SharedKeep, now: float) -> None:
        self._files, self._keep, self._now = files, keep, now
        self._read: dict[str, SharedRecord] = {}

    def go(self, *, remove: bool) -> Garbage:
        """Returns what goes, or went."""
        if remove:
            self._now = min(self._now, self._clock())
        below = self._files.below(OBJECTS)  # before the records: what is stored from now on is not looked at
        objects = {found[1] + found[2]: path for path in below if (found := fullmatch(_OBJECT, path))}
        records = self._records()
        going = spare(records, frozenset(objects), self._keep, self._now)
        sizes = {path: entry.size for path, entry in below.items()}
        sizes |= {path: entry.size for path, entry in self._files.below(RECORDS).items()}
        old = [path for path, entry in below.items() if self._is_old(entry)]
        left = [path for path in old if fullmatch(_LEFTOVER, path)]
        if remove:
            going = {path: why for path, why in going.items() if self._remove_old(path)}
        staying = _mentioned(found for path, found in records.items() if path not in going)
        unmentioned = [path for path in old if (digest := _digest(path)) and digest not in staying]
        if remove:
            unmentioned = list(self._remove_values(unmentioned))
            left = [path for path in left if self._remove_old(path)]
        files = going | dict.fromkeys(unmentioned, Waste.OBJECT) | dict.fromkeys(left, Waste.LEFTOVER)
        wastes = {Path(path): why for path, why in files.items()}
        return Garbage(wastes, {path: sizes.get(path.as_posix(), 0) for path in wastes})

    def _remove_values(self, paths: list[str]) -> Iterator[str]:
        """Removes values that no record mentions, nor one that is written meanwhile; yields those that went."""
        gone: set[str] = set()
        for start in range(0, len(paths), _AT_ONCE):
            staying = _mentioned(self._records().values())
            batch = [path for path in paths[start : start + _AT_ONCE] if _digest(path) not in staying]
            went = self._files.each(lambda path: (path, self._remove_old(path)), batch)
            gone.update(path for path, is_gone in went if is_gone)
        yield from sorted(gone)
        addresses = {_digest(path): path for path in gone}
        for path, found in self._records().items():
            lost = [addresses[digest] for digest in found.mentions & addresses.keys()]
            # Its writer saw the value before it went, and may not have put it there again.
            if any(self._files.entry(value) is None for value in lost):
                self._files.remove(path)

    def _records(self) -> dict[str, SharedRecord]:
        """Returns all records as they are now; those that have not changed are not read again."""
        below = {path: entry for path, entry in self._files.below(RECORDS).items() if fullmatch(_RECORD, path)}
        new = [path for path in below if path not in self._read]
        self._read |= dict(self._files.each(lambda path: (path, self._record(path, below[path])), new))
        changed = {path: self._time(path, entry) for path, entry in below.items()}
        return {
            path: SharedRecord(found.pipeline, changed[path], found.record, found.mentions, found.intact)
            for path, found in self._read.items()
            if path in below
        }

    def _record(self, path: str, entry: Entry) -> SharedRecord:
        _, pipeline, key, name = path.split("/")
        text = self._files.read(path) if entry.size <= MOST_BYTES else b""
        record = record_in(name, text)
        changed, mentions = self._time(path, entry), frozenset(mentioned_in(text))
        if record is not None and record.key == key:
            return SharedRecord(pipeline, changed, record, mentions)
        return SharedRecord(pipeline, changed, None, mentions, is_named(name, text))

    def _remove_old(self, path: str) -> bool:
        """Returns whether a file is gone; one that was written meanwhile stays."""
        entry = self._files.entry(path)
        if entry is not None and not self._is_old(entry):
            return False
        self._files.remove(path)
        return True

    def _is_old(self, entry: Entry) -> bool:
        return entry.changed is not None and entry.changed <= self._now - YOUNG

    def _time(self, path: str, entry: Entry) -> float:
        """Returns when a file was written.

        Raises:
            EnvironmentFault: the store does not tell.
        """
        if entry.changed is None:
            raise EnvironmentFault(
                f"the shared store {shown(self._files.address)} does not tell when {path} was written, so that nobody "
                "knows what is in use",
                "remove old files with its own tools: whatever is gone is computed again",
            )
        return entry.changed

    def _clock(self) -> float:
        """Returns the time as the store has it: clocks of machines may be wrong by days."""
        path = f"{RECORDS}/{UNFINISHED}{token_hex(8)}-clock"
        self._files.write(path, b"")
        try:
            entry = self._files.entry(path)
            return self._now if entry is None else self._time(path, entry)
        finally:
            self._files.remove(path)


def _mentioned(records: Iterable[SharedRecord]) -> frozenset[str]:
    return frozenset[str]().union(*(found.mentions for found in records))


def _digest(path: str) -> str:
    found = fullmatch(_OBJECT, path)
    return found[1] + found[2] if found else ""
