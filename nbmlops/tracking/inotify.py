"""Which files below some folders were opened, as Linux tells it (inotify), whoever opened them and in which language.

A thin layer over the three calls of the C library. Watches are for folders, not for trees, and tell of every process;
who asks has to know when to listen. Elsewhere than on Linux nothing can be watched.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

_MODIFY, _CLOSE_WRITE, _CLOSE_READ, _OPEN = 0x2, 0x8, 0x10, 0x20
_MOVED_TO, _CREATE, _OVERFLOW, _IS_FOLDER = 0x80, 0x100, 0x4000, 0x40000000
_ONLY_FOLDERS = 0x01000000
_WANTED = _MODIFY | _CLOSE_WRITE | _CLOSE_READ | _OPEN | _MOVED_TO | _CREATE | _ONLY_FOLDERS
_HEAD = struct.Struct("iIII")
_BUFFER = 1 << 16


class Opened(Struct, frozen=True):
    """What happened to a file since the last look.

    Attributes:
        path: The file.
        read: Whether it was opened without being written through that opening.
        written: Whether it was made or written.
        made: Whether it was not there before.
    """

    path: str
    read: bool
    written: bool
    made: bool = False


class FolderWatch:
    """Watches folders. Where the system offers no such thing, nothing is watched and nothing is told."""

    def __init__(self) -> None:
        self._folders: dict[int, str] = {}
        self._known: set[str] = set()
        self.lost = False
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self._descriptor = -1 if self._libc is None else self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)

    def watches(self, folder: str) -> bool:
        """Returns whether this folder is watched."""
        return folder in self._known

    def add(self, folders: Iterable[str]) -> bool:
        """Returns whether these folders are watched now; it fails for those that are not there, or are too many."""
        return all(folder in self._known or self._add(folder) for folder in folders)

    def _add(self, folder: str) -> bool:
        if self._libc is None or self._descriptor < 0:
            return False
        number = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _WANTED)
        if number < 0:
            return False
        self._folders[number] = folder
        self._known.add(folder)
        return True

    def take(self) -> tuple[Opened, ...]:
        """Returns what happened since the last call. `lost` tells whether so much happened that some was forgotten."""
        data = self._read()
        if not data:
            return ()
        seen: dict[str, int] = {}
        readings: dict[str, int] = {}
        for path, mask in self._events(data):
            if mask & _IS_FOLDER:
                if mask & (_CREATE | _MOVED_TO):
                    self._add(path)
                continue
            seen[path] = seen.get(path, 0) | mask
            # An opening that is not closed by writing is one for reading, or one that is still open.
            readings[path] = readings.get(path, 0) + bool(mask & _OPEN) - bool(mask & _CLOSE_WRITE)
        written = _MODIFY | _MOVED_TO | _CREATE
        return tuple(
            Opened(
                path,
                # A database is opened for both, and is read if nothing of it changes.
                read=bool(mask & _OPEN) and (readings[path] > 0 or not mask & written),
                written=bool(mask & written),
                made=bool(mask & _CREATE),
            )
            for path, mask in seen.items()
        )

    def _events(self, data: bytes) -> Iterator[tuple[str, int]]:
        while data:
            place = 0
            while place < len(data):
                number, mask, _, length = _HEAD.unpack_from(data, place)
                place += _HEAD.size
                name = data[place : place + length].rstrip(b"\0")
                place += length
                self.lost = self.lost or bool(mask & _OVERFLOW)
                if name and number in self._folders:
                    yield f"{self._folders[number]}/{os.fsdecode(name)}", mask
            data = self._read()

    def _read(self) -> bytes:
        if self._descriptor < 0:
            return b""
        try:
            return os.read(self._descriptor, _BUFFER)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Ends watching."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self._folders.clear()
        self._known.clear()


def folders_below(root: Path, most: int) -> tuple[tuple[str, ...], bool]:
    """Returns a folder and those below it that may hold data, and whether these are all.

    Hidden folders, environments and what tools keep for themselves are left out.
    """
    found: list[str] = []
    for parent, folders, files in os.walk(root):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        if len(found) == most:
            return tuple(found), False
        found.append(parent)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _TOOLS)
    return tuple(found), True


_TOOLS = frozenset({"__pycache__", "node_modules", "site-packages", "mlartifacts", "mlruns", "runs"})
