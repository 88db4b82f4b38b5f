"""Where two texts part: the first line and column, with what stands there on either side."""

from __future__ import annotations

from itertools import zip_longest

from nbmlops.data.compare.shown import shown, sides

_CONTEXT = 12


def text_difference(left: str, right: str) -> str:
    """Returns where two different texts part."""
    lines = zip_longest(left.split("\n"), right.split("\n"))
    number, (one, other) = next((n, pair) for n, pair in enumerate(lines, 1) if pair[0] != pair[1])
    where = f"line {number}: " if "\n" in left or "\n" in right else ""
    if one is None or other is None:
        return where + sides(*(shown(side) if side is not None else "no such line" for side in (one, other)))
    column = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(0, column - _CONTEXT) if max(len(one), len(other)) > 2 * _CONTEXT else 0
    place = f"{where}character {column + 1}: " if start else where
    return place + sides(_part(one, start), _part(other, start))


def _part(line: str, start: int) -> str:
    return ("…" if start else "") + shown(line[start:])
