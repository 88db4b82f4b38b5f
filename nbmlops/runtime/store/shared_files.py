"""Files at an address of fsspec, by paths relative to it: read, listed, written whole or not at all, removed.

Comes in: the address of a shared store. Goes out: bytes, sizes and times, or a `SharedStoreFault` that says what is
wrong with the address. What files mean is `shared_store`'s business and `shared_garbage`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

from msgspec import Struct

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.runtime.store.store import UNFINISHED
from nbmlops.tracking.uri import masked

A = TypeVar("A")
T = TypeVar("T")
_PASSWORD = re.compile(r"://[^/\s@]*:[^/\s@]*@")
_AT_ONCE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "memory"})
"""Systems where a file is there, whole, when its writer has ended, and not before; elsewhere it is moved into place."""
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
"""What file systems call the time of the last change in what they tell of a file."""
_STREAMS = 8


class SharedStoreFault(EnvironmentFault):
    """The shared store cannot be reached, or does not let us in."""


class Entry(Struct, frozen=True):
    """A file: its size, and the time of its last change as the file system tells it, None if it does not."""

    size: int
    changed: float | None


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
    # Not `as_uri`: fsspec takes the path of a URL as it is, and would make a folder called "my%20results".
    return text if "://" in text else f"file://{(base / text).resolve().as_posix()}"


def shown(address: str) -> str:
    """Returns the address without user name, password and query, for messages and documents."""
    return masked(address).partition("?")[0]


class SharedFiles:
    """The files at one address; nothing is opened before it is used.

    Every method raises `SharedStoreFault` if the address cannot be used, `EnvironmentFault` if a package for it is
    missing, `UsageError` if there is no such kind of address.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def entry(self, path: str) -> Entry | None:
        """Returns the size and time of a file, None if it is not there."""
        with self._asking() as files:
            files.invalidate_cache()
            try:
                return _entry(files.info(self._full(path)))
            except FileNotFoundError:
                return None

    def sizes(self, folder: str) -> dict[str, int]:
        """Returns the files in a folder with their sizes."""
        with self._asking() as files:
            files.invalidate_cache()
            try:
                entries = files.ls(self._full(folder), detail=True)
            except FileNotFoundError:
                return {}
        found = [entry for entry in entries if entry["type"] == "file"]
        return {entry["name"].rpartition("/")[2]: int(entry["size"] or 0) for entry in found}

    def below(self, folder: str) -> dict[str, Entry]:
        """Returns all files below a folder, by their paths."""
        with self._asking() as files:
            files.invalidate_cache()
            found: Mapping[str, Mapping[str, Any]] = files.find(self._full(folder), detail=True)
        start = len(self._full(folder).strip("/")) + 1
        return {f"{folder}/{name.strip('/')[start:]}": _entry(entry) for name, entry in sorted(found.items())}

    def read(self, path: str) -> bytes:
        """Returns the bytes of a file, none if it is not there."""
        with self._asking() as files:
            try:
                return bytes(files.cat_file(self._full(path)))
            except FileNotFoundError:
                return b""

    def get(self, path: str, target: Path) -> None:
        """Copies a file to this machine; one that is gone at this very moment is empty then."""
        with self._asking() as files:
            try:
                files.get_file(self._full(path), str(target))
            except FileNotFoundError:
                target.write_bytes(b"")

    def put(self, source: Path, path: str) -> None:
        """Copies a file of this machine there."""
        self._write(path, lambda files, full: files.put_file(str(source), full))

    def write(self, path: str, data: bytes) -> None:
        """Writes a file."""
        self._write(path, lambda files, full: files.pipe_file(full, data))

    def remove(self, path: str) -> None:
        """Removes a file; that it is gone already is fine."""
        with self._asking() as files:
            try:
                files.rm_file(self._full(path))
            except FileNotFoundError:
                return

    def each(self, do: Callable[[A], T], items: Iterable[A]) -> Sequence[T]:
        """Returns what doing something with each of the items gave, several at once where waiting is most of it."""
        todo = list(items)
        if len(todo) < 2 or not self._system[0].async_impl:
            return [do(item) for item in todo]
        with ThreadPoolExecutor(_STREAMS) as streams:
            return list(streams.map(do, todo))

    def _write(self, path: str, write: Callable[[Any, str], object]) -> None:
        with self._asking() as files:
            full = self._full(path)
            if self._system[2] in _AT_ONCE:
                write(files, full)
                return
            folder, _, name = full.rpartition("/")
            unfinished = f"{folder}/{UNFINISHED}{token_hex(8)}-{name}"
            files.makedirs(folder, exist_ok=True)
            try:
                write(files, unfinished)
                files.mv(unfinished, full)
            except BaseException:
                if files.exists(unfinished):
                    files.rm_file(unfinished)
                raise

    def _full(self, path: str) -> str:
        return f"{self._system[1].rstrip('/')}/{path}"

    @cached_property
    def _system(self) -> tuple[Any, str, str]:
        """The file system, the path of the address in it, and what kind it is.

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
    def _asking(self) -> Iterator[Any]:
        files = self._system[0]
        try:
            yield files
        except (FileNotFoundError, EnvironmentFault, UsageError):
            raise
        except Exception as error:
            told = masked(f"{type(error).__name__}: {error}".strip(": "))
            raise SharedStoreFault(
                f"the shared store {shown(self.address)} cannot be used: {told:.300}",
                "check the address, the network and the credentials in the environment",
            ) from error


def _entry(told: Mapping[str, Any]) -> Entry:
    changed = next((_seconds(told[name]) for name in _TIMES if told.get(name)), None)
    return Entry(int(told["size"] or 0), changed)


def _seconds(time: Any) -> float | None:
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            return None
    if isinstance(time, datetime):
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return float(time) if isinstance(time, int | float) else None


def _patience(protocol: str) -> dict[str, Any]:
    """Returns options that keep an unreachable S3 server from stopping a run for minutes; the user's own come first."""
    from fsspec.config import conf

    if protocol not in {"s3", "s3a"} or "config_kwargs" in conf.get("s3", {}):
        return {}
    return {"config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}}
