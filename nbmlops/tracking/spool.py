"""The spool: what a notebook's run has to tell the tracking store, kept in a file until the store has it.

One file for each run, one line for each entry, only ever appended to; a line that a crash has cut off is no entry. A
second file counts what was sent. While a process works on a
spool it holds the lock beside it, which the system lets go when the process ends, however it ends.
"""

from __future__ import annotations

import errno
import json
import os
import uuid
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import EnvironmentFault
from nbmlops.tracking.file_lock import file_lock

Entry = Mapping[str, Json]

_SUFFIX = ".jsonl"


class Spooled(Struct, frozen=True):
    """What a spool's files hold: entries with their numbers, in order, and the number of the last one that was sent."""

    entries: tuple[tuple[int, Entry], ...]
    sent: int = 0

    @property
    def waiting(self) -> tuple[tuple[int, Entry], ...]:
        """The entries that were not sent."""
        return tuple(entry for entry in self.entries if entry[0] > self.sent)


class Spool:
    """The spool of one run, open for appending by this process alone.

    Args:
        folder: Where spools are kept.
        key: Which one; a new one by default.

    Raises:
        EnvironmentFault: another process works on it, or the folder cannot be written.
    """

    def __init__(self, folder: Path, key: str = "") -> None:
        self.key = key or uuid.uuid4().hex
        self.path = folder / f"{self.key}{_SUFFIX}"
        self._held = ExitStack()
        self._entries = self._sent = -1
        self._is_cut = False  # the last line may not be whole
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._held.enter_context(file_lock(self._lock, 0.0))
            self._entries = self._open(self.path)
            self._sent = self._open(self._counter)
            self._last = max((number for number, _ in self.read().entries), default=0)
        except OSError as error:
            self.close()
            raise EnvironmentFault(f"cannot write {self.path}: {error.strerror}", "make the folder writable") from error

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    @property
    def _lock(self) -> Path:
        return self.path.with_suffix(".lock")

    @property
    def _counter(self) -> Path:
        return self.path.with_suffix(".sent")

    def _open(self, path: Path) -> int:
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            os.write(opened, b"\n")  # ends what a crash has cut off
        return opened

    def append(self, entry: Entry) -> int:
        """Returns the number of an entry that was added; it outlives this process, though perhaps not the machine.

        Raises:
            EnvironmentFault: the disk is full or the file cannot be written.
        """
        number = self._last + 1
        text = b"%d %s" % (number, json.dumps(entry).encode())
        line = b"%s%08x %s\n" % (b"\n" if self._is_cut else b"", zlib.crc32(text), text)
        self._is_cut = True
        try:
            _write(self._entries, line)
        except OSError as error:
            raise EnvironmentFault(f"cannot write {self.path}: {error.strerror}", "make room on the disk") from error
        self._is_cut = False
        self._last = number
        return number

    def mark_sent(self, number: int) -> None:
        """Notes that the entries up to this number are in the store."""
        os.write(self._sent, b"%d\n" % number)

    def read(self) -> Spooled:
        """Returns what it holds."""
        return read_spool(self.path)

    def remove(self) -> None:
        """Removes it: everything is in the store."""
        self.path.unlink(missing_ok=True)
        self._counter.unlink(missing_ok=True)
        self.close()
        self._lock.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the files; they stay."""
        for opened in (self._entries, self._sent):
            if opened >= 0:
                os.close(opened)
        self._entries = self._sent = -1
        self._held.close()


def _write(opened: int, line: bytes) -> None:
    """Writes a whole line.

    Raises:
        OSError: the disk took only what it had room for, which the system tells with the next writing alone.
    """
    if os.write(opened, line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_spool(path: Path) -> Spooled:
    """Returns what a spool's file holds; lines that were cut off or altered are left out."""
    entries = tuple(entry for line in _lines(path) if (entry := _entry(line)) is not None)
    counts = [int(line) for line in _lines(path.with_suffix(".sent")) if line.isdigit()]
    return Spooled(entries, max(counts, default=0))


def find_spools(folder: Path) -> tuple[str, ...]:
    """Returns the keys of the spools in a folder, oldest first."""
    return tuple(path.stem for path in sorted(folder.glob(f"*{_SUFFIX}"), key=_age))


def _age(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except FileNotFoundError:  # sent and removed meanwhile
        return 0.0, path.name


def _lines(path: Path) -> Iterator[bytes]:
    try:
        yield from path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return


def _entry(line: bytes) -> tuple[int, Entry] | None:
    check, _, text = line.partition(b" ")
    if check != b"%08x" % zlib.crc32(text):
        return None
    number, _, entry = text.partition(b" ")
    return int(number), json.loads(entry)
