"""Plain Python values as tokens: numbers, texts, and the built-in containers."""

from __future__ import annotations

import math
import struct
from typing import Any

from nbmlops.data.fingerprints.encoding import Encoder, Handler

CANONICAL_NAN = struct.pack("<d", math.nan)


def _add_none(encoder: Encoder, _: object) -> None:
    encoder.token(b"none")


def _add_bool(encoder: Encoder, value: bool) -> None:
    encoder.token(b"bool", b"\1" if value else b"\0")


def _add_int(encoder: Encoder, value: int) -> None:
    encoder.token(b"int", value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))


def pack_float(value: float) -> bytes:
    """Returns the 8 bytes of a float; every NaN has the same."""
    return CANONICAL_NAN if math.isnan(value) else struct.pack("<d", value)


def _add_float(encoder: Encoder, value: float) -> None:
    encoder.token(b"float", pack_float(value))


def _add_complex(encoder: Encoder, value: complex) -> None:
    encoder.token(b"complex", pack_float(value.real) + pack_float(value.imag))


def _add_str(encoder: Encoder, value: str) -> None:
    encoder.text(b"str", value)


def _add_bytes(encoder: Encoder, value: bytes) -> None:
    encoder.token(b"bytes", value)


def _add_bytearray(encoder: Encoder, value: bytearray) -> None:
    encoder.buffer(b"bytearray", len(value), (value,))


def _add_ellipsis(encoder: Encoder, value: object) -> None:
    encoder.text(b"singleton", repr(value))


def _add_range(encoder: Encoder, value: range) -> None:
    encoder.token(b"range")
    for number in (value.start, value.stop, value.step):
        _add_int(encoder, number)


def _add_list(encoder: Encoder, value: list[object]) -> None:
    encoder.token(b"list")
    encoder.add_items(value)


def _add_tuple(encoder: Encoder, value: tuple[object, ...]) -> None:
    digest = encoder.constant(value)
    if digest is not None:
        encoder.token(b"tuple", digest)
        return
    if not encoder.refer(value):
        encoder.token(b"tuple of objects")
        encoder.add_items(value)


def _add_dict(encoder: Encoder, value: dict[object, object]) -> None:
    encoder.token(b"dict" if encoder.ordered else b"unordered dict")
    keys = list(value)
    if not encoder.ordered:
        keys.sort(key=lambda key: element_digest(encoder, key))
    encoder.add_items(keys)
    encoder.add_items([value[key] for key in keys] if not encoder.ordered else list(value.values()), keys)


def _add_set(encoder: Encoder, value: set[Any] | frozenset[Any]) -> None:
    encoder.size(b"frozenset" if type(value) is frozenset else b"set", len(value))
    kinds = set(map(type, value))
    if kinds in ({int}, {str}):
        encoder.add_items(sorted(value))
    else:
        encoder.token(b"digests", b"".join(sorted(element_digest(encoder, item) for item in value)))


def element_digest(encoder: Encoder, value: object) -> bytes:
    """Returns the digest by which a member of an unordered collection is sorted."""
    part = encoder.part()
    part.add(value)
    return part.digest()


PLAIN: dict[type, Handler] = {
    type(None): Handler(_add_none, shared=False),
    bool: Handler(_add_bool, shared=False),
    int: Handler(_add_int, shared=False),
    float: Handler(_add_float, shared=False),
    complex: Handler(_add_complex, shared=False),
    str: Handler(_add_str, shared=False),
    bytes: Handler(_add_bytes, shared=False),
    type(...): Handler(_add_ellipsis, shared=False),
    type(NotImplemented): Handler(_add_ellipsis, shared=False),
    range: Handler(_add_range, shared=False),
    tuple: Handler(_add_tuple, shared=False),
    frozenset: Handler(_add_set, shared=False),
    list: Handler(_add_list, shared=True),
    dict: Handler(_add_dict, shared=True),
    set: Handler(_add_set, shared=True),
    bytearray: Handler(_add_bytearray, shared=True),
}
