"""What differs between two values that have different fingerprints, as a person wants to know it.

Which columns and rows of a frame, which slice of an array, which key of a dictionary, which attribute of an object:
the first difference, with the way that leads to it. Pure: values in, text out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nbmlops.data.compare.arrays import array_difference
from nbmlops.data.compare.drawings import drawing_difference
from nbmlops.data.compare.frames import frame_difference, index_difference, series_difference
from nbmlops.data.compare.shown import NOTEBOOK, PIPELINE, both, counted, kind, listed, shown, sides
from nbmlops.data.compare.text import text_difference
from nbmlops.data.fingerprints.encoding import CannotFingerprint
from nbmlops.data.fingerprints.fingerprint import fingerprint_for_comparing
from nbmlops.data.fingerprints.objects import caches

_DEEPEST = 12
_PATIENCE = 5.0
"""Seconds after which the search ends: the way to a difference in a net of objects may be long."""
_MOST_PARTS = 10_000


def difference(left: object, right: object, homes: frozenset[str]) -> str:
    """Returns what differs between the notebook's value and the pipeline's, "" if nothing that can be named does.

    Args:
        left: The value in the notebook.
        right: The value in the pipeline.
        homes: Top-level modules of the notebook's own code.
    """
    found = _Search(homes).between(left, right, _DEEPEST)
    if found is None:
        return ""
    path, text = found
    return f"{path}: {text}" if path else text


def same_type(left: type, right: type, homes: frozenset[str]) -> bool:
    """Returns whether two classes are the same one, as far as notebook and pipeline can have the same."""
    return left is right or _source_name(left, homes) == _source_name(right, homes)


def _source_name(cls: type, homes: frozenset[str]) -> tuple[str, str]:
    if cls.__module__.partition(".")[0] in homes:
        return "", cls.__qualname__.rpartition("<locals>.")[2]
    return cls.__module__, cls.__qualname__


_Found = tuple[str, str] | None


class _Search:
    """The way down to the first difference."""

    def __init__(self, homes: frozenset[str]) -> None:
        self._homes = homes
        self._met: set[tuple[int, int]] = set()
        self._until = time.monotonic() + _PATIENCE

    def between(self, left: Any, right: Any, depth: int) -> _Found:
        """Returns path and text of the first difference."""
        if not same_type(type(left), type(right), self._homes):
            return "", f"type {sides(kind(left), kind(right))}: {both(left, right)}"
        if (id(left), id(right)) in self._met or depth == 0 or time.monotonic() > self._until:
            return None
        if self._same(left, right):
            return None
        self._met.add((id(left), id(right)))
        rule = self._rule(type(left))
        return rule(left, right, depth)

    def _same(self, left: object, right: object) -> bool:
        try:
            prints = [fingerprint_for_comparing(value, self._homes) for value in (left, right)]
        except CannotFingerprint:
            return left is right
        return prints[0] == prints[1]

    def _rule(self, cls: type) -> Callable[[Any, Any, int], _Found]:
        rule = _leaf_rule(cls)
        if rule is not None:
            return lambda left, right, _: _at("", rule(left, right)) or self._attributes(left, right, 1)
        if issubclass(cls, dict):
            return self._mappings
        if issubclass(cls, list | tuple):
            return self._sequences
        if issubclass(cls, set | frozenset):
            return lambda left, right, _: _at("", _sets(left, right))
        return self._attributes

    def _mappings(self, left: Mapping[Any, Any], right: Mapping[Any, Any], depth: int) -> _Found:
        missing = [shown(key) for key in left if key not in right]
        added = [shown(key) for key in right if key not in left]
        if missing or added:
            parts = [f"missing in the pipeline: {listed(missing)}"] if missing else []
            parts += [f"only in the pipeline: {listed(added)}"] if added else []
            return "", f"keys {'; '.join(parts)}"
        if list(left) != list(right):
            return "", f"keys in another order: {sides(shown(list(left)), shown(list(right)))}"
        members = ((f"[{shown(key)}]", left[key], right[key]) for key in left)
        found = self._first(members, depth, "key")
        return found or _identities(_named_members(left), _named_members(right)) or self._attributes(left, right, depth)

    def _sequences(self, left: Sequence[Any], right: Sequence[Any], depth: int) -> _Found:
        members = ((f"[{n}]", one, other) for n, (one, other) in enumerate(zip(left, right, strict=False)))
        found = self._first(members, depth, "item")
        if len(left) == len(right):
            shared = found or _identities(_named_members(left), _named_members(right))
            return shared or self._attributes(left, right, depth)
        lengths = f"length: {sides(f'{len(left):,}', f'{len(right):,}')}"
        return "", f"{lengths}; first difference at {found[0]}: {found[1]}" if found else lengths

    def _attributes(self, left: Any, right: Any, depth: int) -> _Found:
        ours, theirs = _state(left), _state(right)
        if not ours and not theirs:
            if shown(left) != shown(right):
                return "", both(left, right)
            ours, theirs = _reduction(left), _reduction(right)
        missing = [name for name in ours if name not in theirs]
        added = [name for name in theirs if name not in ours]
        if missing or added:
            parts = [f"missing in the pipeline: {listed(missing)}"] if missing else []
            parts += [f"only in the pipeline: {listed(added)}"] if added else []
            return "", f"attributes {'; '.join(parts)}"
        members = ((f".{name}", ours[name], theirs[name]) for name in ours)
        return self._first(members, depth, "attribute") or _identities(ours, theirs) or ("", both(left, right))

    def _first(self, members: Iterator[tuple[str, Any, Any]], depth: int, noun: str) -> _Found:
        first: _Found = None
        more = 0
        for path, one, other in members:
            if first is not None and time.monotonic() > self._until:
                break
            if first is not None:
                more += not self._same(one, other)
                continue
            found = self.between(one, other, depth - 1)
            first = (path + found[0], found[1]) if found else None
        if first is None or not more:
            return first
        return first[0], f"{first[1]} (and {counted(more, f'more {noun}')} differ{'s' if more == 1 else ''})"


def _named_members(value: Mapping[Any, Any] | Sequence[Any]) -> dict[str, Any]:
    members = value.items() if isinstance(value, Mapping) else enumerate(value)
    return {f"[{shown(key)}]": member for key, member in members}


def _identities(left: Mapping[str, Any], right: Mapping[str, Any]) -> _Found:
    """Returns which parts of equal content are one object on one side only."""
    first: dict[int, str] = {}
    mates: dict[int, str] = {}
    for name in left if len(left) <= _MOST_PARTS else ():
        first.setdefault(id(left[name]), name)
        mates.setdefault(id(right[name]), name)
    for name in left if first else ():
        ours, theirs = first[id(left[name])], mates[id(right[name])]
        if ours != theirs and not isinstance(left[name], int | float | str | bytes | tuple | None):
            other, here = (ours, NOTEBOOK) if ours != name else (theirs, PIPELINE)
            return "", f"{other} and {name} are one object {here} only"
    return None


def _at(path: str, text: str) -> _Found:
    return (path, text) if text else None


def _leaf_rule(cls: type) -> Callable[[Any, Any], str] | None:
    """Returns the comparison of values whose parts are no objects of their own."""
    if issubclass(cls, str):
        return text_difference
    roots = {base.__module__.partition(".")[0] for base in cls.__mro__}
    if "numpy" in roots and issubclass(cls, sys.modules["numpy"].ndarray):
        return array_difference
    if "pandas" in roots:
        pandas = sys.modules["pandas"]
        rules: tuple[tuple[type, Callable[[Any, Any], str]], ...] = (
            (pandas.DataFrame, frame_difference),
            (pandas.Series, series_difference),
            (pandas.Index, index_difference),
        )
        return next((rule for base, rule in rules if issubclass(cls, base)), None)
    if "matplotlib" in roots and issubclass(cls, sys.modules["matplotlib.artist"].Artist):
        return drawing_difference
    return None


def _sets(left: set[Any], right: set[Any]) -> str:
    missing = sorted(shown(item) for item in left - right)
    added = sorted(shown(item) for item in right - left)
    parts = [f"missing in the pipeline: {listed(missing)}"] if missing else []
    parts += [f"only in the pipeline: {listed(added)}"] if added else []
    return "; ".join(parts) or both(left, right)


def _state(value: Any) -> dict[str, Any]:
    """Returns the attributes of an object, those that reading it made left out."""
    attributes = dict(getattr(value, "__dict__", {}))
    for cls in type(value).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name) and name not in {"__dict__", "__weakref__"}:
                attributes[name] = getattr(value, name)
    unread = caches(attributes, type(value))
    return {name: item for name, item in attributes.items() if name not in unread}


def _reduction(value: Any) -> dict[str, Any]:
    """Returns what pickle would keep of an object that has no attributes, such as a random generator."""
    if isinstance(value, list | dict | tuple):
        return {}
    reduced = value.__reduce_ex__(4)
    if not isinstance(reduced, tuple):
        return {}
    state = reduced[2] if len(reduced) > 2 else None
    return {"args": reduced[1], "state": state}
