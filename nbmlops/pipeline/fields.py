"""Typed access to the mappings of a document read from disk, so that every mistake names its file and its key.

Both codecs of this package read through it: plain data of unknown shape goes in, checked values come out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import UsageError

Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=StrEnum)

_REQUIRED = object()


class Fields:
    """One mapping of a document.

    Args:
        data: The mapping as parsed; anything else is refused.
        source: The document's name for messages.
        where: The path of keys that leads here, "" for the whole document.
        hint: What the user can do about a broken document.
    """

    __slots__ = ("_data", "_hint", "_source", "_where")

    def __init__(self, data: object, source: str, where: str = "", hint: str = "") -> None:
        self._source, self._where, self._hint = source, where, hint
        if not isinstance(data, dict):
            raise UsageError(f"{source}: {where or 'the document'} must be a mapping, not {kind(data)}", hint)
        self._data = data

    def _place(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def wrong(self, place: str, wanted: str, found: object) -> UsageError:
        """Returns the error that names the file, the key, what belongs there and what stands there."""
        return UsageError(f"{self._source}: {place} must be {wanted}, not {kind(found)}", self._hint)

    def take(self, key: str, wanted: str, accept: Callable[[object], bool], default: object = _REQUIRED) -> object:
        """Returns the value of `key` if `accept` says yes.

        Raises:
            UsageError: the key is missing and has no default, or its value is refused.
        """
        value = self._data.get(key, default)
        if value is _REQUIRED:
            raise UsageError(f"{self._source}: {self._place(key)} is missing", self._hint)
        if value is not default and not accept(value):
            raise self.wrong(self._place(key), wanted, value)
        return value

    def names(self) -> tuple[str, ...]:
        """Returns the keys of the mapping, in order.

        Raises:
            UsageError: a key is no text.
        """
        for key in self._data:
            if not isinstance(key, str):
                raise self.wrong(self._where or "a key of the document", "a mapping with texts as keys", key)
        return tuple(self._data)

    def text(self, key: str, default: object = _REQUIRED) -> str:
        """Returns a text."""
        return str(self.take(key, "a text", lambda value: isinstance(value, str), default))

    def integer(self, key: str, default: object = _REQUIRED) -> int:
        """Returns an integer."""
        value = self.take(key, "an integer", is_integer, default)
        assert isinstance(value, int)
        return value

    def boolean(self, key: str, default: object = _REQUIRED) -> bool:
        """Returns true or false."""
        return bool(self.take(key, "true or false", lambda value: isinstance(value, bool), default))

    def number(self, key: str, default: object = _REQUIRED) -> float:
        """Returns a float; the texts "NaN", "Infinity" and "-Infinity" are numbers too."""
        place = self._place(key)
        return self._number(place, self.take(key, "a number", lambda _: True, default))

    def numbers(self, key: str) -> dict[str, float]:
        """Returns a mapping of names to numbers, in order."""
        return {name: self._number(f"{self._place(key)}.{name}", value) for name, value in self.plain(key).items()}

    def _number(self, place: str, value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, str) and value in NON_FINITE:
            return NON_FINITE[value]
        raise self.wrong(place, "a number", value)

    def choice(self, key: str, kinds: type[Choice]) -> Choice:
        """Returns a member of the enumeration."""
        values = [member.value for member in kinds]
        return kinds(str(self.take(key, f"one of {', '.join(values)}", lambda value: value in values)))

    def json(self, key: str, default: object = _REQUIRED) -> Json:
        """Returns any plain value."""
        value = self.take(key, "a plain value", is_json, default)
        assert value is None or isinstance(value, bool | int | float | str | Sequence | Mapping)
        return value

    def plain(self, key: str) -> dict[str, Json]:
        """Returns a mapping of texts to plain values; an absent one is empty."""
        value = self.take(key, "a mapping of plain values", lambda v: isinstance(v, dict) and is_json(v), {})
        assert isinstance(value, dict)
        return value

    def optional(self, key: str) -> Fields | None:
        """Returns the mapping under `key`, or None where there is none."""
        return None if self._data.get(key) is None else self.child(key)

    def child(self, key: str) -> Fields:
        """Returns the mapping under `key`."""
        return Fields(self.take(key, "a mapping", lambda _: True), self._source, self._place(key), self._hint)

    def children(self, key: str) -> tuple[Fields, ...]:
        """Returns the mappings of the list under `key`; an absent list is empty."""
        place = self._place(key)
        items = enumerate(self._items(key, "a list of mappings", lambda _: True))
        return tuple(Fields(item, self._source, f"{place}[{number}]", self._hint) for number, item in items)

    def texts(self, key: str) -> tuple[str, ...]:
        """Returns a list of texts; an absent list is empty."""
        return tuple(map(str, self._items(key, "a list of texts", lambda item: isinstance(item, str))))

    def integers(self, key: str) -> tuple[int, ...]:
        """Returns a list of integers; an absent list is empty."""
        items = self._items(key, "a list of integers", is_integer)
        return tuple(item for item in items if isinstance(item, int))

    def rows(self, key: str, types: tuple[type, ...]) -> tuple[tuple[object, ...], ...]:
        """Returns a list of short lists whose members have the given types; an absent list is empty."""

        def fits(item: object) -> bool:
            return isinstance(item, list) and list(map(type, item)) == list(types)

        wanted = f"a list of [{', '.join(t.__name__ for t in types)}]"
        return tuple(tuple(item) for item in self._items(key, wanted, fits) if isinstance(item, list))

    def text_map(self, key: str) -> dict[str, str]:
        """Returns a mapping of texts to texts, in order; an absent one is empty."""

        def accept(value: object) -> bool:
            return isinstance(value, dict) and all(isinstance(x, str) for pair in value.items() for x in pair)

        value = self.take(key, "a mapping of texts", accept, {})
        assert isinstance(value, dict)
        return dict(value)

    def _items(self, key: str, wanted: str, accept: Callable[[object], bool]) -> list[object]:
        value = self.take(key, wanted, lambda v: isinstance(v, list) and all(map(accept, v)), [])
        assert isinstance(value, list)
        return value


NON_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def is_integer(value: object) -> bool:
    """Returns whether the value is an integer and not a truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_json(value: object) -> bool:
    """Returns whether the value is plain: None, truth value, number, text, list, or mapping with texts as keys."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_json, value))
    return value is None or isinstance(value, bool | int | float | str)


def kind(value: object) -> str:
    """Returns what a value is, for messages."""
    return f"{type(value).__name__} {value!r:.60}" if value is not None else "nothing"
