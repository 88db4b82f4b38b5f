"""A limit on what a cell may print, in the process that prints it: nobody reads a gigabyte, but everybody stores it."""

from __future__ import annotations

import sys
from typing import Any, TextIO

MOST = 10 << 20
"""Bytes of text that a cell may print: whoever stores it holds it about five times at once."""


class OutputLimit:
    """Cuts what a cell writes to standard output and standard error, together.

    Args:
        most: Bytes (UTF-8) that go through.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most, self._written, self._dropped = most, 0, 0
        self._streams: list[tuple[TextIO, Any, Any]] = []

    def begin_cell(self) -> None:
        """Begins to count; streams that cannot be watched are left alone."""
        self.end_cell()  # an interruption may have kept it from being told
        for stream in (sys.stdout, sys.stderr):
            # In IPython the attribute is put back at the end of each cell, so that it has to be set for each.
            write, limited = stream.write, self._limited(stream.write)
            try:
                stream.write = limited  # type: ignore[method-assign]  # of this stream alone
            except AttributeError:  # a stream of the system's own; a kernel's is none
                continue
            self._streams.append((stream, write, limited))

    def end_cell(self) -> None:
        """Says how much was left out, and gives the streams back."""
        if self._dropped and self._streams:
            self._streams[0][1](f"[left out: {self._dropped / 2**20:.1f} MiB]\n")
        for stream, write, limited in self._streams:
            if stream.write is limited:
                stream.write = write  # type: ignore[method-assign]  # of this stream alone
        self._streams.clear()
        self._written = self._dropped = 0

    def _limited(self, write: Any) -> Any:
        def limited(text: str) -> int:
            size, data = len(text), b""
            if not text.isascii():  # half a surrogate pair cannot be sent: the kernel would lose the whole text
                data = text.encode("utf-8", "backslashreplace")
                text, size = data.decode(), len(data)
            room = self._most - self._written
            self._written += size
            if room >= size:
                write(text)
                return len(text)
            if room > 0:
                write(data[:room].decode("utf-8", "ignore") if data else text[:room])
            if not self._dropped:
                write(f"\n[a cell printed more than {self._most / 2**20:g} MiB; the rest is left out]\n")
            self._dropped += size - max(room, 0)
            return len(text)

        return limited
