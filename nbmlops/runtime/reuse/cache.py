"""Records of executed steps on disk, written whole or not at all.

`state/<pipeline>/<step>.json` is the latest record of a step; `cache/<pipeline>/<key>.json` holds those that were made
from one key, newest first: they differ in what only running showed (files read, libraries, random state).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from nbmlops.core.digest import digest_bytes
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.fields import Fields
from nbmlops.runtime.reuse.records import CacheRecord, record_from_json, record_to_json
from nbmlops.runtime.store.store import make_private

SCHEMA = "nbmlops/step-record/1"
_KEPT = 16


class StepCache:
    """The records of one pipeline.

    Args:
        cache: Folder of the records by key.
        state: Folder of the latest records.
    """

    def __init__(self, cache: Path, state: Path) -> None:
        self._cache, self._state = cache, state

    def candidates(self, key: str) -> Iterable[CacheRecord]:
        """Returns the records made from this key, newest first; those that cannot be read are left out."""
        return self.local(key)

    def bring(self, record: CacheRecord) -> bool:  # noqa: ARG002 - a shared cache has another place
        """Returns whether values of the record that were missing are in the store now: here, they are nowhere else."""
        return False

    def local(self, key: str) -> tuple[CacheRecord, ...]:
        """Returns the records of this machine that were made from the key, newest first."""
        return read_records(self._cache / f"{key}.json")

    def latest(self, step: str) -> CacheRecord | None:
        """Returns the newest record of a step."""
        records = read_records(self._state / file_name(step))
        return records[0] if records else None

    def add(self, record: CacheRecord) -> None:
        """Keeps the record for later runs, and as the latest of its step.

        Raises:
            EnvironmentFault: the folder cannot be written.
        """
        if record.key:
            self.keep(record)
        self.set_latest(record)

    def keep(self, record: CacheRecord) -> None:
        """Keeps the record for later runs, in the place of the one with the same ground.

        Raises:
            EnvironmentFault: the folder cannot be written.
        """
        others = [other for other in self.local(record.key) if not _same_ground(other, record)]
        write_records(self._cache / f"{record.key}.json", [record, *others[: _KEPT - 1]])

    def set_latest(self, record: CacheRecord) -> None:
        """Makes the record the latest of its step, which plain papermill reads its inputs from.

        Raises:
            EnvironmentFault: the folder cannot be written.
        """
        path = self._state / file_name(record.step)
        if read_records(path) != (record,):
            write_records(path, [record])


def file_name(step: str) -> str:
    """Returns the name of the file for a step."""
    # Step names are texts of users: "../x", names of devices, three hundred letters.
    return f"{step if step.isidentifier() and len(step) <= 100 else digest_bytes(step.encode())}.json"


def _same_ground(one: CacheRecord, other: CacheRecord) -> bool:
    if (one.unit or other.unit) and one.run != other.run:
        return False  # a step that was joined with others is reused with those of its own run only
    return (
        one.libraries == other.libraries
        and one.outcome.listings == other.outcome.listings
        and one.outcome.variables == other.outcome.variables
        and one.outcome.random_before == other.outcome.random_before
        and one.outcome.settings_before == other.outcome.settings_before
        and {path: state.digest for path, state in one.outcome.files.items()}
        == {path: state.digest for path, state in other.outcome.files.items()}
    )


def write_records(path: Path, records: Iterable[CacheRecord]) -> None:
    """Writes a file of records, readable by its owner only.

    Raises:
        EnvironmentFault: the folder cannot be written.
    """
    make_private(path.parent)
    write_atomically(path, text_of(records), mode=0o600)


def text_of(records: Iterable[CacheRecord]) -> bytes:
    """Returns the text of a file of records."""
    document = {"schema": SCHEMA, "records": [record_to_json(record) for record in records]}
    return json.dumps(document, ensure_ascii=True, allow_nan=False).encode()


def read_records(path: Path) -> tuple[CacheRecord, ...]:
    """Returns the records in a file, none if it cannot be read."""
    try:
        return parse_records(path.read_bytes(), str(path))
    except OSError:
        return ()


def parse_records(text: bytes, place: str) -> tuple[CacheRecord, ...]:
    """Returns the records in the text of a file, none if it cannot be read."""
    # A record that cannot be read is no record: the step runs again and replaces it.
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            return ()
        return tuple(map(record_from_json, Fields(document, place).children("records")))
    except (ValueError, RecursionError, UsageError):
        return ()
