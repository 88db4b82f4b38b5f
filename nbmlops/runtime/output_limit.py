"""A limit on what a cell may print, in the process that prints it: nobody reads a gigabyte, but everybody stores it."""

from __future__ import annotations

import sys
from typing import Any, TextIO

MOST = 20_000_000
"""Characters that a cell may print."""


class OutputLimit:
    """Cuts what a cell writes to standard output and standard error, together.

    Args:
        most: Characters that go through.
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
                stream.write = limited  # type: ignore[method-assign]
            except AttributeError:  # a stream of the system's own; a kernel's is none
                continue
            self._streams.append((stream, write, limited))

    def end_cell(self) -> None:
        """Says how much was left out, and gives the streams back."""
        if self._dropped and self._streams:
            self._streams[0][1](f"[left out: {self._dropped / 1e6:.1f} MB]\n")
        for stream, write, limited in self._streams:
            if stream.write is limited:
                stream.write = write  # type: ignore[method-assign]
        self._streams.clear()
        self._written = self._dropped = 0

    def _limited(self, write: Any) -> Any:
        def limited(text: str) -> int:
            if not text.isascii():  # half a surrogate pair cannot be sent: the kernel would lose the whole text
                text = text.encode("utf-8", "backslashreplace").decode()
            room = self._most - self._written
            self._written += len(text)
            if room >= len(text):
                write(text)
                return len(text)
            if room > 0:
                write(text[:room])
            if not self._dropped:
                write(f"\n[a cell printed more than {self._most / 1e6:g} MB; the rest is left out]\n")
            self._dropped += len(text) - max(room, 0)
            return len(text)

        return limited
