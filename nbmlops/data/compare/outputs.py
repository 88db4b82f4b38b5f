"""Compares what cells show with what a step shows: printed lines, results, pictures, in order, cell by cell.

A step notebook shows the outputs of all cells of its step in one cell. Both sides become one row of pieces (a printed
line, or something displayed); rows are aligned, and what does not fit is blamed on the cell that it stands in.
Standard error is a row of its own: in which order it mixes with standard output is an accident.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.data.compare.noise import Noise
from nbmlops.data.compare.pieces import Outputs, Piece, Place, pieces_of
from nbmlops.data.compare.shown import counted, shown, sides
from nbmlops.data.compare.text import text_difference

EQUAL = "equal"
DIFFERENT = "different"

_MOST_PIECES = 20_000


class CellOutputs(Struct, frozen=True):
    """What one cell shows compared with what the pipeline shows in its place.

    Attributes:
        cell: Its number.
        status: `EQUAL` or `DIFFERENT`.
        detail: The first difference, or "".
        removed: What was left out of the comparison because it is no part of the result, such as memory addresses.
        places: Which of its pieces differ; those that the pipeline adds count for the piece before.
    """

    cell: int
    status: str
    detail: str = ""
    removed: tuple[str, ...] = ()
    places: frozenset[Place] = frozenset()


def compare_outputs(cells: Sequence[tuple[int, Outputs]], pipeline: Outputs, noise: Noise) -> tuple[CellOutputs, ...]:
    """Returns the verdict on each cell that shows something, or in whose place the pipeline does.

    Args:
        cells: Number and outputs of each cell of the step, in order, as nbformat has them.
        pipeline: All outputs of the step notebook.
        noise: Knows what is no part of a result.
    """
    verdicts = {number: CellOutputs(number, EQUAL) for number, outputs in cells if outputs}
    for errors in (False, True):
        ours, theirs = pieces_of(cells, noise, errors=errors), pieces_of([(0, pipeline)], noise, errors=errors)
        first = cells[0][0] if cells else 0
        for found in _compared(ours.pieces, theirs.pieces, first):
            verdicts[found.cell] = _merged(verdicts.get(found.cell), found)
        for cell, reasons in ours.dropped.items():
            verdicts[cell] = _merged(verdicts[cell], CellOutputs(cell, EQUAL, removed=tuple(reasons)))
    return tuple(verdicts[number] for number, _ in cells if number in verdicts)


def _merged(known: CellOutputs | None, found: CellOutputs) -> CellOutputs:
    if known is None:
        return found
    is_worse = known.status == EQUAL and found.status == DIFFERENT
    return replace(
        found if is_worse else known,
        removed=tuple(sorted({*known.removed, *found.removed})),
        places=known.places | found.places,
    )


def _compared(ours: Sequence[Piece], theirs: Sequence[Piece], first: int) -> Iterator[CellOutputs]:
    if [piece.raw for piece in ours] == [piece.raw for piece in theirs]:
        return
    for tag, low, high, start, end in _aligned(ours, theirs):
        left, right = ours[low:high], theirs[start:end]
        if tag == "equal":
            for one, other in zip(left, right, strict=True):
                if one.raw != other.raw:
                    yield CellOutputs(one.cell, EQUAL, "", tuple(sorted(one.removed | other.removed)))
            continue
        if not left:
            before = ours[low - 1] if low else None
            cell, place = (before.cell, before.place) if before else (first, ("", 0))
            detail = f"the pipeline shows more: {_named(right[0])}{_more(right)}"
            yield CellOutputs(cell, DIFFERENT, detail, places=frozenset({place}))
            continue
        for cell in dict.fromkeys(piece.cell for piece in left):
            mine = [piece for piece in left if piece.cell == cell]
            other_side = right if cell == left[0].cell else ()
            places = frozenset(piece.place for piece in mine)
            yield CellOutputs(cell, DIFFERENT, _detail(mine, other_side), places=places)


def _aligned(ours: Sequence[Piece], theirs: Sequence[Piece]) -> Iterable[tuple[str, int, int, int, int]]:
    one, other = [piece.key for piece in ours], [piece.key for piece in theirs]
    if max(len(one), len(other)) > _MOST_PIECES:
        same = one == other
        return [("equal" if same else "replace", 0, len(one), 0, len(other))]
    return SequenceMatcher(None, one, other, autojunk=False).get_opcodes()


def _detail(left: Sequence[Piece], right: Sequence[Piece]) -> str:
    if not right:
        return f"the pipeline does not show {_named(left[0])}{_more(left)}"
    one, other = left[0], right[0]
    more = _more(left if len(left) >= len(right) else right)
    if one.kind == other.kind and one.bundle is None:
        return f"{one.kind}: {text_difference(one.key, other.key)}{more}"
    if one.bundle is not None and other.bundle is not None:
        return f"{_bundles(one.bundle, other.bundle)}{more}"
    return f"{sides(_named(one), _named(other))}{more}"


def _more(pieces: Sequence[Piece]) -> str:
    return f" (and {counted(len(pieces) - 1, 'more piece')})" if len(pieces) > 1 else ""


def _named(piece: Piece) -> str:
    if piece.bundle is None:
        return f"{piece.kind} {shown(piece.key)}"
    kinds = [kind for kind in piece.bundle if kind != "text/plain"]
    return f"{kinds[0] if kinds else 'the result'} {shown(piece.bundle.get('text/plain', ''))}"


def _bundles(left: Mapping[str, str], right: Mapping[str, str]) -> str:
    if left.keys() != right.keys():
        return f"shown as {sides(', '.join(left), ', '.join(right))}"
    kind = next((kind for kind in left if left[kind] != right[kind]), "")
    if kind.startswith("image/") and kind != "image/svg+xml":
        return f"{kind}: the pictures differ: {sides(_picture(left[kind]), _picture(right[kind]))}"
    return f"{kind}: {text_difference(left.get(kind, ''), right.get(kind, ''))}"


def _picture(data: str) -> str:
    try:
        content = base64.b64decode(data, validate=False)
    except (binascii.Error, ValueError):
        return f"{len(data):,} characters"
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        return f"{width}×{height}, {len(content):,} bytes"
    return f"{len(content):,} bytes"
