"""The shared store: objects and records at an address of fsspec, for several projects and machines at once.

`objects/ab/cdef…` holds the bytes of a value under their digest, `records/PIPELINE/KEY/RUN-DIGEST.json` one record
under the digest of its text. Nothing is ever changed in place: who writes at the same time writes the same bytes or
another name. Objects are written before the record that mentions them, and whatever is read is checked against its
digest before anybody uses it, so that what a killed writer left, or any damage, is as good as absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.runtime.cache import parse_records, text_of
from nbmlops.runtime.plan import step_key
from nbmlops.runtime.records import CacheRecord, FileState
from nbmlops.runtime.store import UNFINISHED, ObjectRef, Store
from nbmlops.tracking.uri import masked

T = TypeVar("T")
OBJECTS, RECORDS = "objects", "records"
_NAME = re.compile(r"([\w.-]{1,200})-([0-9a-f]{64})\.json")
_PASSWORD = re.compile(r"://[^/\s@]*:[^/\s@]*@")
_MOST_RECORDS = 16
_MOST_BYTES = 1 << 26
"""A record beyond this is none of ours."""
_AT_ONCE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "memory"})
"""Systems where a file is there, whole, when its writer has ended, and not before; elsewhere it is moved into place."""
_STREAMS = 8


class SharedStoreFault(EnvironmentFault):
    """The shared store cannot be reached, or does not let us in."""


def address_of(text: str, base: Path) -> str:
    """Returns the address of a shared store that the user named by a URL or by a folder.

    Args:
        text: `s3://bucket/prefix`, `file:///shared/folder`, any other URL of fsspec, or a folder.
        base: The folder that a relative folder counts from.

    Raises:
        UsageError: it holds a password, which would be seen in lists of processes and in files under version control.
    """
    if _PASSWORD.search(text):
        raise UsageError(
            f"the address of the shared store holds a password: {shown(text)}",
            "give credentials by the environment (AWS_PROFILE, AWS_ACCESS_KEY_ID, …) or by fsspec's configuration",
        )
    return text if "://" in text else (base / text).resolve().as_uri()


def shown(address: str) -> str:
    """Returns the address without user name, password and query, for messages and documents."""
    return masked(address).partition("?")[0]


@dataclass
class SharedStore:
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
        folder = self._path(RECORDS, pipeline, key)
        sizes = self._sizes(folder)
        names = sorted((name for name in sizes if _NAME.fullmatch(name)), reverse=True)
        for name in names[:_MOST_RECORDS]:
            text = self._read(f"{folder}/{name}") if sizes[name] <= _MOST_BYTES else b""
            record = _record_of(name, text, key)
            if record is not None:
                yield record

    def has_record(self, pipeline: str, record: CacheRecord) -> bool:
        """Returns whether the store has this record.

        Raises:
            SharedStoreFault: the store cannot be used.
        """
        with self._asking():
            return bool(self._files[0].exists(self._record_path(pipeline, record)))

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
        """Writes the objects of a record, then the record; what is there already stays as it is.

        Raises:
            SharedStoreFault: the store cannot be used.
            DamagedObject: an object of this machine's store is not what it was.
        """
        self._each(lambda ref: self._push(ref, store), refs)
        with self._asking():
            self._write(self._record_path(pipeline, record), lambda files, path: files.pipe_file(path, _text(record)))

    def _push(self, ref: ObjectRef, store: Store) -> None:
        if ref not in self.damaged and self._size(ref) == ref.size:
            return
        store.verify(ref)
        with self._asking():
            self._write(self._object_path(ref), lambda files, path: files.put_file(str(store.path(ref)), path))
        self.damaged.discard(ref)

    def _pull(self, ref: ObjectRef, store: Store) -> bool:
        found = self._size(ref)
        if found == ref.size and store.adopt(ref, lambda path: self._get(ref, path)):
            return True
        if found is not None:
            self.damaged.add(ref)
        return False

    def _get(self, ref: ObjectRef, path: Path) -> None:
        with self._asking():
            try:
                self._files[0].get_file(self._object_path(ref), str(path))
            except FileNotFoundError:
                path.write_bytes(b"")  # removed at this very moment: not the bytes that were asked for

    def _write(self, path: str, write: Callable[[Any, str], object]) -> None:
        files, _, protocol = self._files
        if protocol in _AT_ONCE:
            write(files, path)
            return
        folder, _, name = path.rpartition("/")
        unfinished = f"{folder}/{UNFINISHED}{token_hex(8)}-{name}"
        files.makedirs(folder, exist_ok=True)
        try:
            write(files, unfinished)
            files.mv(unfinished, path)
        except BaseException:
            if files.exists(unfinished):
                files.rm_file(unfinished)
            raise

    def _each(self, do: Callable[[ObjectRef], T], refs: Iterable[ObjectRef]) -> Sequence[T]:
        todo = sorted(set(refs), key=lambda ref: ref.digest)
        if len(todo) < 2 or not self._files[0].async_impl:
            return [do(ref) for ref in todo]
        with ThreadPoolExecutor(_STREAMS) as streams:
            return list(streams.map(do, todo))

    def _sizes(self, folder: str) -> dict[str, int]:
        """Returns the files in a folder with their sizes."""
        with self._asking():
            files = self._files[0]
            files.invalidate_cache()
            try:
                entries = files.ls(folder, detail=True)
            except FileNotFoundError:
                return {}
        found = [entry for entry in entries if entry["type"] == "file"]
        return {entry["name"].rpartition("/")[2]: int(entry["size"] or 0) for entry in found}

    def _size(self, ref: ObjectRef) -> int | None:
        with self._asking():
            try:
                return int(self._files[0].info(self._object_path(ref))["size"] or 0)
            except FileNotFoundError:
                return None

    def _read(self, path: str) -> bytes:
        with self._asking():
            try:
                return bytes(self._files[0].cat_file(path))
            except FileNotFoundError:
                return b""

    def _record_path(self, pipeline: str, record: CacheRecord) -> str:
        name = f"{record.run}-{digest_bytes(_text(record))}.json"
        return self._path(RECORDS, pipeline, record.key, name)

    def _object_path(self, ref: ObjectRef) -> str:
        return self._path(OBJECTS, ref.digest[:2], ref.digest[2:])

    def _path(self, *parts: str) -> str:
        return "/".join((self._files[1].rstrip("/"), *parts))

    @cached_property
    def _files(self) -> tuple[Any, str, str]:
        """The file system, the path of the store in it, and what kind it is.

        Raises:
            EnvironmentFault: a package is missing.
            UsageError: there is no such kind of address.
        """
        from fsspec.core import url_to_fs
        from fsspec.utils import get_protocol

        protocol = get_protocol(self.address)
        try:
            files, root = url_to_fs(self.address, **_patience(protocol))
        except ImportError as error:
            raise EnvironmentFault(
                f"a shared store at {protocol}:// needs a package: {error}",
                'install it beside nbmlops; for S3: pip install "nbmlops[s3]"',
            ) from error
        except ValueError as error:
            raise UsageError(
                f"{shown(self.address)} is no address of a shared store: {masked(str(error))}",
                "write s3://BUCKET/PREFIX, file:///FOLDER or another URL of fsspec",
            ) from error
        return files, str(root), protocol

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, EnvironmentFault, UsageError):
            raise
        except Exception as error:
            told = masked(f"{type(error).__name__}: {error}".strip(": "))
            raise SharedStoreFault(
                f"the shared store {shown(self.address)} cannot be used: {told:.300}",
                "check the address, the network and the credentials in the environment",
            ) from error


def as_shared(record: CacheRecord) -> CacheRecord:
    """Returns the record without what holds on one machine only: the executed notebook, the times of files."""
    states = {path: FileState(state.digest, state.size) for path, state in record.outcome.files.items()}
    return replace(record, notebook="", outcome=replace(record.outcome, files=states))


def _text(record: CacheRecord) -> bytes:
    return text_of([as_shared(record)])


def _record_of(name: str, text: bytes, key: str) -> CacheRecord | None:
    """Returns the record in a file if the file is what its name says and the record that of the key."""
    found = _NAME.fullmatch(name)
    if found is None or digest_bytes(text) != found[2]:
        return None
    records = parse_records(text, name)
    if len(records) != 1 or records[0].key != key or step_key(records[0].step, records[0].parts) != key:
        return None
    return as_shared(records[0])


def _patience(protocol: str) -> dict[str, Any]:
    """Returns options that keep an unreachable S3 server from stopping a run for minutes; the user's own come first."""
    from fsspec.config import conf

    if protocol not in {"s3", "s3a"} or "config_kwargs" in conf.get("s3", {}):
        return {}
    return {"config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}}
