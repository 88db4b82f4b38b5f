"""Long sequences of one plain type as a few buffers: the same content, a hundred times faster than one by one."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable, Sequence
from typing import Any

PACKED_FROM = 32
"""Shorter sequences are encoded one by one; the number is part of the format."""

Packed = list[tuple[bytes, Sequence[Any]]]
"""Tags, each with its content in pieces."""
_JOINED_LETTERS = 1 << 20
"""So many letters of texts are joined at once: joining all of them would need twice their memory."""


def pack(items: Sequence[Any]) -> Packed | None:
    """Returns the tags and buffers of a long sequence whose members all have one plain type, None for any other."""
    if len(items) < PACKED_FROM:
        return None
    how = _PACKERS.get(frozenset(map(type, items)))
    return how(items) if how else None


def _floats(items: Sequence[float]) -> Packed:
    nan = any(map(math.isnan, items))
    return _numbers(b"floats", "d", [math.nan if math.isnan(item) else item for item in items] if nan else items)


def _ints(items: Sequence[int]) -> Packed | None:
    try:
        return _numbers(b"ints", "q", items)
    except OverflowError:
        return None


def _bools(items: Sequence[bool]) -> Packed:
    return [(b"bools", [bytes(items)])]


def _optional_texts(items: Sequence[str | None]) -> Packed:
    present = bytes(item is not None for item in items)
    return [(b"present", [present]), *_texts(["" if item is None else item for item in items])]


def _texts(items: Sequence[str]) -> Packed:
    lengths = array("q", map(len, items))
    step = max(1, len(items) * _JOINED_LETTERS // max(1, sum(lengths)))
    pieces = ["".join(items[at : at + step]).encode("utf-8", "surrogatepass") for at in range(0, len(items), step)]
    return [*_numbers(b"lengths", "q", lengths), (b"texts", pieces)]


def _numbers(tag: bytes, code: str, items: Any) -> Packed:
    numbers = items if isinstance(items, array) else array(code, items)
    if sys.byteorder == "big":
        numbers.byteswap()
    return [(tag, [numbers])]


_PACKERS: dict[frozenset[type], Callable[[Any], Packed | None]] = {
    frozenset({float}): _floats,
    frozenset({int}): _ints,
    frozenset({bool}): _bools,
    frozenset({str}): _texts,
    frozenset({str, type(None)}): _optional_texts,
}
