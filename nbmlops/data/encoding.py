"""The canonical encoding behind every fingerprint: tagged, length-prefixed tokens streamed into one XXH3-128.

Plain Python values are encoded here; the other modules of this package add arrays, frames and objects through the same
`Encoder`. The format is documented in docs/reference/fingerprint.md; changing it means a new `FORMAT`.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import xxhash

from nbmlops.core.errors import UsageError

FORMAT = b"nbmlops-fingerprint/1"
CANONICAL_NAN = struct.pack("<d", math.nan)
PACKED_FROM = 32
"""Sequences of this many values of one plain type are encoded as buffers."""


class CannotFingerprint(UsageError):
    """A part of a value has no content that could be digested: a lambda, an open file, a lock.

    Args:
        reason: Why the part cannot be fingerprinted.
        part: Where it is inside the value, such as ".steps[0][1].fn".
    """

    def __init__(self, reason: str, part: str = "") -> None:
        super().__init__(
            f"cannot fingerprint {part or 'the value'}: {reason}",
            "keep it out of values that steps hand over, or define it as a function or class of the notebook",
        )
        self.reason, self.part = reason, part

    def within(self, outer: str) -> CannotFingerprint:
        """Returns the same refusal, seen from the container: `outer` leads to the part."""
        return CannotFingerprint(self.reason, outer + self.part)


class Handler(NamedTuple):
    """How values of one class are encoded; `shared` ones are encoded once and then referred to by number."""

    encode: Callable[[Encoder, Any], None]
    shared: bool


class Known:
    """What the encoders of one value share.

    Attributes:
        alive: Every object met: an `id` means nothing once its object is gone.
        constants: id of a tuple -> its digest if it holds only immutable values, else None.
    """

    __slots__ = ("alive", "constants")

    def __init__(self) -> None:
        self.alive: list[object] = []
        self.constants: dict[int, bytes | None] = {}


class Encoder:
    """Turns one value into a digest.

    A mutable object met again becomes a reference to its first occurrence, so `[a, a]` differs from two equal lists and
    cycles end. Immutable values are compared by content only: whether Python shares them is an accident.

    Args:
        find: Gives the handler of a class that is not plain.
        ordered: Whether the order of a dictionary's items counts.
        outer: Numbers of the objects met before this part began.
        known: What all parts of one value share.
    """

    def __init__(
        self,
        find: Callable[[type], Handler],
        *,
        ordered: bool = True,
        outer: tuple[dict[int, int], ...] = (),
        known: Known | None = None,
    ) -> None:
        self.ordered = ordered
        self._hash = xxhash.xxh3_128()
        self._find = find
        self._numbers: dict[int, int] = {}
        self._outer = outer
        self._base = sum(map(len, outer))
        self._known = known or Known()

    def digest(self) -> bytes:
        """Returns the 16 bytes of the digest of everything added so far."""
        return self._hash.digest()

    def part(self, *, ordered: bool = True) -> Encoder:
        """Returns an encoder for a part that gets a digest of its own; it knows the objects met so far."""
        outer = (self._numbers, *self._outer) if self._numbers else self._outer
        return Encoder(self._find, ordered=ordered and self.ordered, outer=outer, known=self._known)

    def token(self, tag: bytes, payload: bytes = b"") -> None:
        """Adds a tag and its payload, with their lengths."""
        self._hash.update(struct.pack("<BQ", len(tag), len(payload)) + tag + payload)

    def text(self, tag: bytes, text: str) -> None:
        """Adds a tag and a text."""
        self.token(tag, text.encode("utf-8", "surrogatepass"))

    def size(self, tag: bytes, *numbers: int) -> None:
        """Adds a tag and some 64-bit numbers, such as a count or a shape."""
        self.token(tag, struct.pack(f"<{len(numbers)}q", *numbers))

    def buffer(self, tag: bytes, length: int, chunks: Iterable[Any]) -> None:
        """Adds a tag and `length` bytes that come in chunks and are not copied."""
        self._hash.update(struct.pack("<BQ", len(tag), length) + tag)
        for chunk in chunks:
            self._hash.update(chunk)

    def add(self, value: object) -> None:
        """Adds any value.

        Raises:
            CannotFingerprint: a part of it has no content that could be digested.
        """
        cls = type(value)
        handler = PLAIN.get(cls) or self._find(cls)
        if handler.shared and self.refer(value):
            return
        handler.encode(self, value)

    def refer(self, value: object) -> bool:
        """Adds a reference if the object was met before, and says whether it was; else gives it a number."""
        for numbers in (self._numbers, *self._outer):
            if id(value) in numbers:
                self.size(b"ref", numbers[id(value)])
                return True
        self._numbers[id(value)] = self._base + len(self._numbers)
        self._known.alive.append(value)
        return False

    def add_items(self, items: Sequence[object], names: Sequence[object] = ()) -> None:
        """Adds the members of a sequence, long uniform ones as buffers.

        Args:
            items: The members.
            names: What a refusal calls them; by default their positions.

        Raises:
            CannotFingerprint: a member has no content that could be digested.
        """
        self.size(b"items", len(items))
        if len(items) >= PACKED_FROM and _add_packed(self, items):
            return
        position = 0
        try:
            for position, item in enumerate(items):  # noqa: B007  # the handler below reads it
                self.add(item)
        except CannotFingerprint as refusal:
            name = names[position] if names else position
            label = f"{name!r:.60}" if type(name) in PLAIN else type(name).__name__
            raise refusal.within(f"[{label}]") from refusal.__cause__

    def constant(self, value: Any) -> bytes | None:
        """Returns the digest of a tuple that holds only immutable values, else None; each tuple is walked once."""
        constants = self._known.constants
        if id(value) not in constants:
            self._known.alive.append(value)
            constants[id(value)] = self._digest_constant(value)
        return constants[id(value)]

    def _digest_constant(self, value: tuple[object, ...]) -> bytes | None:
        encoder = Encoder(self._find, known=self._known)
        encoder.size(b"items", len(value))
        for item in value:
            if type(item) is tuple:
                digest = self.constant(item)
                if digest is None:
                    return None
                encoder.token(b"tuple", digest)
            elif type(item) is frozenset or (PLAIN.get(type(item)) or self._find(type(item))).shared:
                return None
            else:
                encoder.add(item)
        return encoder.digest()


def _add_packed(encoder: Encoder, items: Sequence[Any]) -> bool:
    """Adds the items as buffers if all have one plain type, and says whether it did."""
    kinds = set(map(type, items))
    if kinds == {float}:
        nan = any(map(math.isnan, items))
        _add_array(encoder, b"floats", array("d", [math.nan if math.isnan(x) else x for x in items] if nan else items))
    elif kinds == {int}:
        try:
            _add_array(encoder, b"ints", array("q", items))
        except OverflowError:
            return False
    elif kinds == {bool}:
        encoder.token(b"bools", bytes(items))
    elif kinds == {str} or kinds == {str, type(None)}:
        if type(None) in kinds:
            encoder.token(b"present", bytes(item is not None for item in items))
            items = ["" if item is None else item for item in items]
        _add_array(encoder, b"lengths", array("q", map(len, items)))
        texts = "".join(items).encode("utf-8", "surrogatepass")
        encoder.buffer(b"texts", len(texts), (texts,))
    else:
        return False
    return True


def _add_array(encoder: Encoder, tag: bytes, numbers: array[Any]) -> None:
    if sys.byteorder == "big":
        numbers.byteswap()
    encoder.buffer(tag, len(numbers) * numbers.itemsize, (numbers,))


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
    encoder.token(b"bytearray", bytes(value))


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
