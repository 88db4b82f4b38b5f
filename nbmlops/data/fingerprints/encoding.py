"""The canonical encoding behind every fingerprint: tagged, length-prefixed tokens streamed into one XXH3-128.

The modules `plain`, `arrays`, `arrow`, `frames` and `objects` say which tokens a value becomes. The format
is documented in docs/reference/fingerprint.md; changing it means a new `FORMAT`.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import xxhash

from nbmlops.core.errors import UsageError
from nbmlops.data.fingerprints.packing import pack

FORMAT = b"nbmlops-fingerprint/1"
_SHORT = 1 << 14  # shorter payloads are copied behind their tag: one call instead of two


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


_PUBLIC = {"pandas": "pandas", "polars": "polars", "scipy": "scipy.sparse"}
"""Where libraries show classes whose homes they move from version to version."""


def public_module(cls: type) -> str:
    """Returns the module by which users know a class: where it is really defined may change with the version."""
    public = _PUBLIC.get(cls.__module__.partition(".")[0], "")
    return public if getattr(sys.modules.get(public), cls.__qualname__, None) is cls else cls.__module__


class Handler(NamedTuple):
    """How values of one class are encoded; `shared` ones are encoded once and then referred to by number."""

    encode: Callable[[Encoder, Any], None]
    shared: bool


def _go_on() -> None:
    return


class Known:
    """What the encoders of one value share.

    Attributes:
        alive: Every object met: an `id` means nothing once its object is gone.
        constants: id of a tuple -> its digest if it holds only immutable values, else None.
        homes: Top-level modules that count as one, "" in front of a name: where a notebook's own code lives.
        go_on: Called before each part and each piece of a buffer; what it raises ends the work.
    """

    __slots__ = ("alive", "constants", "go_on", "homes")

    def __init__(self, homes: frozenset[str] = frozenset(), go_on: Callable[[], None] = _go_on) -> None:
        self.go_on = go_on
        self.alive: list[object] = []
        self.constants: dict[int, bytes | None] = {}
        self.homes = homes


class Encoder:
    """Turns one value into a digest.

    A mutable object met again becomes a reference to its first occurrence, so `[a, a]` differs from two equal lists and
    cycles end. Immutable values are compared by content only: whether Python shares them is an accident.

    Args:
        find: Gives the handler of a class.
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
        self._hash: Any = xxhash.xxh3_128()
        self._find = find
        self._numbers: dict[int, int] = {}
        self._outer = outer
        self._base = sum(map(len, outer))
        self._known = known or Known()

    @property
    def compares(self) -> bool:
        """Whether notebook and pipeline are compared: homes of code are one, and caches of objects do not count."""
        return bool(self._known.homes)

    def name_of(self, module: str, qualname: str) -> tuple[str, str]:
        """Returns module and name of a class or function as the encoding says them."""
        if module.partition(".")[0] in self._known.homes:
            return "", qualname.rpartition("<locals>.")[2]
        return module, qualname

    def class_name(self, cls: type) -> str:
        """Returns the module and the qualified name of a class as the encoding says them."""
        return ".".join(self.name_of(public_module(cls), cls.__qualname__))

    def digest(self) -> bytes:
        """Returns the 16 bytes of the digest of everything added so far."""
        digest: bytes = self._hash.digest()
        return digest

    def part(self, *, ordered: bool = True) -> Encoder:
        """Returns an encoder for a part that gets a digest of its own; it knows the objects met so far."""
        self._known.go_on()
        outer = (self._numbers, *self._outer) if self._numbers else self._outer
        return Encoder(self._find, ordered=ordered and self.ordered, outer=outer, known=self._known)

    def token(self, tag: bytes, payload: bytes = b"") -> None:
        """Adds a tag and its payload, with their lengths."""
        head = struct.pack("<BQ", len(tag), len(payload)) + tag
        if len(payload) < _SHORT:
            self._hash.update(head + payload)
        else:
            self._hash.update(head)
            self._hash.update(payload)

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
            self._known.go_on()
            self._hash.update(chunk)

    def checked_buffer(self, tag: bytes, length: int, chunks: Iterable[Any], canonical: Callable[[Any], Any]) -> None:
        """Adds a tag and `length` bytes, most of them canonical as they are.

        A chunk is digested first and looked at second, while it is still in the processor's cache: memory is read once.

        Args:
            tag: What the bytes are.
            length: How many there are.
            chunks: The bytes, in pieces.
            canonical: Gives what to digest in place of a chunk; None where that is the chunk itself.
        """
        self._hash.update(struct.pack("<BQ", len(tag), length) + tag)
        for chunk in chunks:
            self._known.go_on()
            before = self._hash.copy()
            self._hash.update(chunk)
            instead = canonical(chunk)
            if instead is not None:
                self._hash = before
                self._hash.update(instead)

    def add(self, value: object) -> None:
        """Adds any value.

        Raises:
            CannotFingerprint: a part of it has no content that could be digested.
        """
        handler = self._find(type(value))
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
        packed = pack(items)
        if packed:
            for tag, pieces in packed:
                self.buffer(tag, sum(memoryview(piece).nbytes for piece in pieces), pieces)
            return
        position = 0
        try:
            for position, item in enumerate(items):  # noqa: B007  # the handler below reads it
                self.add(item)
        except CannotFingerprint as refusal:
            name = names[position] if names else position
            label = f"{name!r:.60}" if isinstance(name, str | int | float) else type(name).__name__
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
            elif type(item) is frozenset or self._find(type(item)).shared:
                return None
            else:
                encoder.add(item)
        return encoder.digest()
