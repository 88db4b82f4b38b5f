"""Checked bytes that are given back to the system while they are read.

So a large pickle and the value that is made of it are never both whole in memory.
"""

from __future__ import annotations

import io
import mmap
from typing import Any, BinaryIO, cast

_PIECE = 4 << 20


def private_memory(size: int) -> mmap.mmap:
    """Returns so many bytes of memory of this process alone, zeros at first."""
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def read_once(memory: mmap.mmap, size: int) -> BinaryIO:
    """Returns a file of the first bytes of the memory, which is not to be used any more: what was read is gone."""
    return cast("BinaryIO", io.BufferedReader(_Draining(memory, size), 1 << 17))


class _Draining(io.RawIOBase):
    def __init__(self, memory: mmap.mmap, size: int) -> None:
        self._memory, self._view = memory, memoryview(memory)[:size]
        self._position = self._given_back = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        done, wanted = 0, min(len(target), len(self._view) - self._position)
        while done < wanted:
            count = min(wanted - done, _PIECE)
            target[done : done + count] = self._view[self._position : self._position + count]
            done += count
            self._position += count
            if self._position - self._given_back >= _PIECE:
                self._give_back()
        return done

    def _give_back(self) -> None:
        size = self._position // mmap.PAGESIZE * mmap.PAGESIZE - self._given_back
        if hasattr(mmap, "MADV_DONTNEED"):
            self._memory.madvise(mmap.MADV_DONTNEED, self._given_back, size)
        self._given_back += size
