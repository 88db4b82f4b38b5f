"""The shared store: objects and records at an address of fsspec, for several projects and machines at once.

`objects/ab/cdef…` holds the bytes of a value under their digest, `records/PIPELINE/KEY/RUN-DIGEST.json` one record
under the digest of its text. Nothing is ever changed in place: who writes at the same time writes the same bytes or
another name. Objects are written before the record that mentions them, and whatever is read is checked against its
digest before anybody uses it, so that what a killed writer left, or any damage, is as good as absent.

Somebody may clean the store meanwhile (`shared_garbage`): what was not written or used for some time may go. So who
uses an old record writes it anew, and who writes a record looks afterwards whether the values that it found are there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.core.digest import digest_bytes
from nbmlops.runtime.reuse.cache import parse_records, text_of
from nbmlops.runtime.reuse.plan import step_key
from nbmlops.runtime.reuse.records import CacheRecord, FileState
from nbmlops.runtime.store.shared_files import SharedFiles
from nbmlops.runtime.store.store import ObjectRef, Store

T = TypeVar("T")
OBJECTS, RECORDS = "objects", "records"
RENEWED = 12 * 3600.0
"""Seconds after which the record of a step that is used is written anew, so that no cleaning takes it for forgotten."""
RECORD_NAME = re.compile(r"([\w.-]{1,200})-([0-9a-f]{64})\.json")
MOST_BYTES = 1 << 26
"""A record beyond this is none of ours."""
_MOST_RECORDS = 16


class SharedStore(Struct, dict=True):
    """Objects and records at one address; nothing is opened before it is used.

    Attributes:
        address: As `address_of` gives it.
        damaged: Objects that were found to hold other bytes than they should: they count as missing.
    """

    address: str
    damaged: set[ObjectRef] = field(default_factory=set)

    def records(self, pipeline: str, key: str) -> Iterator[CacheRecord]:
        """Yields the records of a key, newest first; what is no such record is left out.

        Raises:
            SharedStoreFault: the store cannot be used.
        """
        folder = f"{RECORDS}/{pipeline}/{key}"
        sizes = self._files.sizes(folder)
        names = sorted((name for name in sizes if RECORD_NAME.fullmatch(name)), reverse=True)
        for name in names[:_MOST_RECORDS]:
            record = record_in(name, self._files.read(f"{folder}/{name}") if sizes[name] <= MOST_BYTES else b"")
            if record is not None and record.key == key:
                yield as_shared(record)

    def has_record(self, pipeline: str, record: CacheRecord) -> bool:
        """Returns whether the store has this record, and had it written lately enough that no cleaning takes it.

        Raises:
            SharedStoreFault: the store cannot be used.
        """
        entry = self._files.entry(_record_path(pipeline, record))
        return entry is not None and (entry.changed is None or time.time() - entry.changed < RENEWED)

    def has_objects(self, refs: Iterable[ObjectRef]) -> bool:
        """Returns whether objects of the right sizes are there.

        Raises:
            SharedStoreFault: the store cannot be used.
        """
        return all(self._each(lambda ref: self._size(ref) == ref.size, refs))

    def pull(self, refs: Iterable[ObjectRef], store: Store) -> bool:
        """Returns whether all the objects are in the store of this machine now, checked; see `damaged` for why not.

        Raises:
            SharedStoreFault: the store cannot be used.
            EnvironmentFault: the disk is full, or not writable.
        """
        return all(self._each(lambda ref: store.has(ref) or self._pull(ref, store), refs))

    def push(self, pipeline: str, record: CacheRecord, refs: Iterable[ObjectRef], store: Store) -> None:
        """Writes the objects of a record, then the record; values that are there already stay as they are.

        Raises:
            SharedStoreFault: the store cannot be used.
            DamagedObject: an object of this machine's store is not what it was.
        """
        wanted = frozenset(refs)
        found = frozenset(ref for ref, was_there in self._each(lambda ref: self._push(ref, store), wanted) if was_there)
        self._files.write(_record_path(pipeline, record), _text(record))
        # Nothing mentioned them before, maybe, and somebody who cleans took them; from now on the record does.
        self._each(lambda ref: self._push(ref, store), found)

    def _push(self, ref: ObjectRef, store: Store) -> tuple[ObjectRef, bool]:
        if ref not in self.damaged and self._size(ref) == ref.size:
            return ref, True
        store.verify(ref)
        self._files.put(store.path(ref), object_path(ref))
        self.damaged.discard(ref)
        return ref, False

    def _pull(self, ref: ObjectRef, store: Store) -> bool:
        found = self._size(ref)
        if found == ref.size and store.adopt(ref, lambda path: self._get(ref, path)):
            return True
        if found is not None:
            self.damaged.add(ref)
        return False

    def _get(self, ref: ObjectRef, path: Path) -> None:
        self._files.get(object_path(ref), path)

    def _size(self, ref: ObjectRef) -> int | None:
        entry = self._files.entry(object_path(ref))
        return None if entry is None else entry.size

    def _each(self, do: Callable[[ObjectRef], T], refs: Iterable[ObjectRef]) -> Iterable[T]:
        return self._files.each(do, sorted(set(refs), key=lambda ref: ref.digest))

    @cached_property
    def _files(self) -> SharedFiles:
        return SharedFiles(self.address)


def as_shared(record: CacheRecord) -> CacheRecord:
    """Returns the record without what holds on one machine only: the executed notebook, the times of files."""
    states = {path: FileState(state.digest, state.size) for path, state in record.outcome.files.items()}
    return replace(record, notebook="", outcome=replace(record.outcome, files=states))


def record_in(name: str, text: bytes) -> CacheRecord | None:
    """Returns the record in a file, None if the file is not what its name says or the record not that of its key."""
    if not is_named(name, text):
        return None
    records = parse_records(text, name)
    return records[0] if len(records) == 1 and step_key(records[0].step, records[0].parts) == records[0].key else None


def is_named(name: str, text: bytes) -> bool:
    """Returns whether a file of a record holds what its name says."""
    found = RECORD_NAME.fullmatch(name)
    return found is not None and digest_bytes(text) == found[2]


def object_path(ref: ObjectRef) -> str:
    """Returns where an object is, relative to the store."""
    return f"{OBJECTS}/{ref.digest[:2]}/{ref.digest[2:]}"


def _record_path(pipeline: str, record: CacheRecord) -> str:
    return f"{RECORDS}/{pipeline}/{record.key}/{record.run}-{digest_bytes(_text(record))}.json"


def _text(record: CacheRecord) -> bytes:
    return text_of([as_shared(record)])
