"""Step records of this machine and of a shared store, behind the same questions as those of this machine alone.

Records of the shared store are looked at only when none of this machine fits; their values are pulled when everything
else about one fits. What is executed or reused here is pushed, unless it is known to be there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nbmlops.core.digest import digest_bytes
from nbmlops.core.documents import write_atomically
from nbmlops.runtime.layout import Layout
from nbmlops.runtime.reuse.cache import StepCache, file_name, text_of
from nbmlops.runtime.reuse.records import CacheRecord, refs_of
from nbmlops.runtime.schedule.events import Event, SharingFailed
from nbmlops.runtime.store.shared_files import SharedStoreFault, shown
from nbmlops.runtime.store.shared_store import SharedStore, as_shared
from nbmlops.runtime.store.store import DamagedObject, Store, make_private

_BELIEVED = 12 * 3600.0
"""Seconds; what was pushed is written anew when it is used later, so that no cleaning takes it for forgotten."""


class SharedCache(StepCache):
    """The records of one pipeline, here and in a shared store.

    Args:
        layout: Where things are on this machine.
        shared: The shared store.
        tell: Told when the shared store, or something in it, cannot be used.
        needed: That the shared store cannot be used is an error; otherwise the run goes on without it.
        looks_only: Nothing is pulled or pushed; values of the shared store count as if they were here.
    """

    def __init__(
        self,
        layout: Layout,
        shared: SharedStore,
        tell: Callable[[Event], None],
        *,
        needed: bool = False,
        looks_only: bool = False,
    ) -> None:
        super().__init__(layout.cache, layout.state)
        self._pipeline, self._store = layout.pipeline, Store(layout.store)
        self._shared, self._tell, self._needed, self._looks_only = shared, tell, needed, looks_only
        self._marks = layout.shared / digest_bytes(shared.address.encode())[:16] / layout.pipeline
        self._is_lost = False

    def candidates(self, key: str) -> Iterator[CacheRecord]:
        """Yields the records made from this key: first those of this machine, then those of the shared store.

        Raises:
            SharedStoreFault: the shared store cannot be used, and is needed.
        """
        local = super().candidates(key)
        yield from local
        known = {text_of([as_shared(record)]) for record in local}
        records = self._shared.records(self._pipeline, key)
        while not self._is_lost:
            try:
                record = next(records, None)
            except SharedStoreFault as fault:
                self._lose(fault)
                return
            if record is None:
                return
            if text_of([record]) not in known:
                yield record

    def bring(self, record: CacheRecord) -> bool:
        """Returns whether the values of the record are in this machine's store, after they were pulled.

        Raises:
            SharedStoreFault: the shared store cannot be used, and is needed.
        """
        if self._is_lost:
            return False
        refs = refs_of(record.outcome)
        before = set(self._shared.damaged)
        try:
            if self._looks_only:
                return self._shared.has_objects(refs)
            brought = self._shared.pull(refs, self._store)
        except SharedStoreFault as fault:
            self._lose(fault)
            return False
        for ref in self._shared.damaged - before:
            what = f"the value {ref.digest[:12]}… of step {record.step} is damaged there and counts as missing"
            self._tell(SharingFailed(shown(self._shared.address), what))
        return brought

    def set_latest(self, record: CacheRecord) -> None:
        """Makes the record the latest of its step on this machine, and shares it.

        Raises:
            EnvironmentFault: the folder cannot be written.
        """
        if record.key and record not in self.local(record.key):
            self.keep(record)
        super().set_latest(record)
        if record.key:
            self.share(record)

    def share(self, record: CacheRecord) -> None:
        """Pushes the record and its values, unless the shared store is known to have them.

        Raises:
            SharedStoreFault: the shared store cannot be used, and is needed.
        """
        if self._is_lost or self._looks_only or self._is_marked(record):
            return
        try:
            if not self._shared.has_record(self._pipeline, record):
                self._shared.push(self._pipeline, record, refs_of(record.outcome), self._store)
        except SharedStoreFault as fault:
            self._lose(fault)
        except DamagedObject as damage:
            self._tell(
                SharingFailed(shown(self._shared.address), f"step {record.step} is not shared: {damage.message}")
            )
        else:
            self._mark(record)

    def _lose(self, fault: SharedStoreFault) -> None:
        if self._needed:
            raise fault
        self._is_lost = True
        self._tell(SharingFailed(shown(self._shared.address), f"{fault.message}; this run goes on without it"))

    def _is_marked(self, record: CacheRecord) -> bool:
        path = self._mark_of(record)
        try:
            is_young = time.time() - path.stat().st_mtime < _BELIEVED
            return is_young and not self._needed and path.read_bytes() == _identity(record)
        except OSError:
            return False

    def _mark(self, record: CacheRecord) -> None:
        path = self._mark_of(record)
        make_private(path.parent)
        write_atomically(path, _identity(record), mode=0o600)

    def _mark_of(self, record: CacheRecord) -> Path:
        return self._marks / file_name(record.step)


def _identity(record: CacheRecord) -> bytes:
    return digest_bytes(text_of([as_shared(record)])).encode()
