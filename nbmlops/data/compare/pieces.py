"""The outputs of cells as a row of pieces: printed lines and things displayed, each with its normalised form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from nbmlops.data.compare.noise import PLACES, Cleaned, Noise

_ERRORS = "stderr"
_IGNORED = frozenset({"application/vnd.jupyter.widget-view+json"})

Outputs = Sequence[Mapping[str, Any]]
Place = tuple[str, int]
"""The row that a piece stands in, by what is printed there, and its number among those of the cell."""


class Piece(Struct, frozen=True):
    """A printed line or something displayed.

    Attributes:
        cell: The cell that shows it.
        place: Its place among the pieces of the cell.
        kind: "printed", "stderr", "result" or "error".
        raw: As it was shown.
        key: Its normalised form: pieces with one key are equal.
        removed: What normalising left out.
        bundle: For a result, its normalised forms by MIME type.
    """

    cell: int
    place: Place
    kind: str
    raw: str
    key: str
    removed: frozenset[str]
    bundle: Mapping[str, str] | None = None


class Row(Struct, frozen=True):
    """All pieces of some cells in order; `dropped`: cell -> why lines of it are no pieces."""

    pieces: tuple[Piece, ...]
    dropped: Mapping[int, frozenset[str]]


def pieces_of(cells: Iterable[tuple[int, Outputs]], noise: Noise, *, errors: bool) -> Row:
    """Returns the pieces of the cells in order; what several outputs or cells print on one line is one piece.

    Args:
        cells: Number and outputs of each cell, as nbformat has them.
        noise: Knows what is no part of a result.
        errors: Whether standard error is meant, or everything else.
    """
    reader = _Reader(noise, _ERRORS if errors else "printed")
    for cell, outputs in cells:
        for output in outputs:
            kind = output.get("output_type")
            if kind == "stream" and (output.get("name") == _ERRORS) is errors:
                reader.printed(cell, _text(output.get("text", "")))
            elif not errors and (error := output.get("metadata", {}).get("nbmlops", {}).get("error")):
                reader.raised(cell, error)  # of displaying, which is no failure
            elif not errors and kind in {"execute_result", "display_data"}:
                reader.displayed(cell, output.get("data", {}))
            elif not errors and kind == "error":
                reader.raised(cell, f"{output.get('ename')}: {output.get('evalue')}")
    reader.end_line()
    return Row(tuple(reader.pieces), reader.dropped)


class _Reader:
    """Puts pieces together while outputs are read."""

    def __init__(self, noise: Noise, stream: str) -> None:
        self.pieces: list[Piece] = []
        self.dropped: dict[int, frozenset[str]] = {}
        self._noise, self._stream = noise, stream
        self._counts: dict[int, int] = {}
        self._line, self._begun, self._before = "", 0, ""

    def printed(self, cell: int, text: str) -> None:
        """Adds text of the stream; a line belongs to the cell that begins it."""
        for part in _split(text):
            self._begun = self._begun if self._line else cell
            self._line += part
            if self._line.endswith("\n"):
                self.end_line()

    def end_line(self) -> None:
        """Adds the line that was begun, without what a carriage return overwrote."""
        line, self._line = self._line, ""
        if not line:
            return
        shown = line.removesuffix("\n").rstrip("\r").rpartition("\r")[2]
        is_echo = self._stream == _ERRORS and self._noise.is_echo(shown, self._before)
        self._before = shown
        cleaned = self._noise.cleaned(shown, self._stream)
        if is_echo or cleaned.is_nothing:
            reasons = frozenset({PLACES}) if is_echo else cleaned.removed
            self.dropped[self._begun] = self.dropped.get(self._begun, frozenset()) | reasons
        else:
            self._add(self._begun, self._stream, shown, cleaned)

    def displayed(self, cell: int, data: Mapping[str, Any]) -> None:
        """Adds a result in all its forms."""
        self.end_line()
        raw = {kind: _text(content) for kind, content in data.items() if kind not in _IGNORED}
        cleaned = {kind: self._noise.cleaned(content, kind) for kind, content in raw.items()}
        bundle = {kind: part.text for kind, part in cleaned.items()}
        removed = frozenset[str]().union(*(part.removed for part in cleaned.values()))
        told = Cleaned(json.dumps(bundle, sort_keys=True), removed)
        self._add(cell, "result", json.dumps(raw, sort_keys=True), told, bundle)

    def raised(self, cell: int, text: str) -> None:
        """Adds an error."""
        self.end_line()
        self._add(cell, "error", text, self._noise.cleaned(text, "error"))

    def _add(self, cell: int, kind: str, raw: str, cleaned: Cleaned, bundle: Mapping[str, str] | None = None) -> None:
        position = self._counts[cell] = self._counts.get(cell, -1) + 1
        self.pieces.append(Piece(cell, (self._stream, position), kind, raw, cleaned.text, cleaned.removed, bundle))


def _split(text: str) -> Iterator[str]:
    lines = text.split("\n")
    yield from (f"{line}\n" for line in lines[:-1])
    if lines[-1]:
        yield lines[-1]


def _text(data: Any) -> str:
    if isinstance(data, str):
        return data
    if isinstance(data, list) and all(isinstance(part, str) for part in data):
        return "".join(data)
    return json.dumps(data, sort_keys=True)
