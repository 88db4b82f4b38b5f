"""Index objects of pandas that several values hold, and that stay one object from step to step.

The names and the frequency of an index can be set in place, and whatever holds the same object sees it:
`df.index.name = "id"`. Nothing else of an index changes. So values that share no more than an index are stored each by
itself, and an index is known by a token: two stored values with one token get one object when they are loaded. An
index has its token from the first time that a value is stored with it, whether anything shares it then or not, so that
a later step that makes a series over it says so without a word about the value it came from.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from nbmlops.runtime.store.stored import StoredValue, first_token

if TYPE_CHECKING:
    from nbmlops.runtime.handover.sharing import Walk

Tokens = Mapping[str, tuple[str, ...]]
"""Name -> tokens of the indexes that its value holds, in the order in which a walk meets them."""


class _Known(Struct, frozen=True):
    index: Any
    state: tuple[object, ...]


class Indexes:
    """The indexes of the values that are alive in one process, by their tokens."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._tokens: dict[int, str] = {}

    def taken(self, token: str, make: Callable[[], Any]) -> Any:
        """Returns the index of that token that is alive; if there is none, the one that is made here and now.

        Args:
            token: A token that was stored.
            make: Gives the index as it was stored.
        """
        if token not in self._known:
            self._learn(token, make())
        return self._known[token].index

    def put_into(self, value: Any, tokens: tuple[str, ...]) -> Any:
        """Returns a value that was just loaded, with the indexes that are alive in place of its own.

        Args:
            value: Any value; only frames, series and indexes by themselves have something to replace.
            tokens: Tokens of the indexes that it holds.
        """
        if not tokens or not is_labelled(value):
            return value
        if isinstance(value, sys.modules["pandas"].Index):
            return self.taken(tokens[0], lambda: value)
        is_one = value.ndim == len(tokens) + 1  # the labels of the columns are those of the rows
        for axis, token in zip(("index", "columns")[: value.ndim], tokens * 2 if is_one else tokens, strict=False):
            own = getattr(value, axis)
            if (index := self.taken(token, partial(_same, own))) is not own:
                setattr(value, axis, index)
        return value

    def renamed(self) -> frozenset[str]:
        """Returns the tokens of indexes that were changed in place since they were stored or loaded."""
        return frozenset(token for token, known in self._known.items() if _state(known.index) != known.state)

    def tokens(self, walks: Mapping[str, Walk], prints: Mapping[str, str], stored: Mapping[str, StoredValue]) -> Tokens:
        """Returns the tokens of all values; an index that has none yet gets the first one that is free.

        Args:
            walks: Name -> walk over its value.
            prints: Name -> what its value is known by.
            stored: What was stored before.
        """
        used = {token for value in stored.values() for token in value.indexes} | self._known.keys()
        given = dict(self._tokens)
        found: dict[str, tuple[str, ...]] = {}
        for name, walk in walks.items():
            for position, key in enumerate(walk.indexes):
                if key not in given:
                    given[key] = _free(first_token(name, position, prints[name]), used)
                    used.add(given[key])
            found[name] = tuple(given[key] for key in walk.indexes)
        return found

    def settle(self, walks: Mapping[str, Walk], tokens: Tokens, stored: Iterable[StoredValue]) -> None:
        """Takes the present state of the indexes for what is stored, and forgets those that nothing stored holds.

        Args:
            walks: Name -> walk over its value.
            tokens: Name -> tokens of its indexes.
            stored: All that is stored now.
        """
        held = {token for value in stored for token in value.indexes}
        alive = {token: known.index for token, known in self._known.items()}
        for name, walk in walks.items():
            alive |= dict(zip(tokens[name], walk.indexes.values(), strict=True))
        self._known, self._tokens = {}, {}
        for token in alive.keys() & held:
            self._learn(token, alive[token])

    def _learn(self, token: str, index: Any) -> None:
        self._known[token] = _Known(index, _state(index))
        self._tokens[id(index)] = token


def moved(tokens: Tokens, stored: Mapping[str, StoredValue]) -> set[str]:
    """Returns the names whose values hold other shared indexes than they were stored with.

    Args:
        tokens: Name -> tokens of its indexes, of the values that are alive.
        stored: What was stored before.
    """
    holders: dict[str, set[str]] = {}
    for name, value in stored.items():
        for token in value.indexes:
            holders.setdefault(token, set()).add(name)
    for name, now in tokens.items():
        for token in now:
            holders.setdefault(token, set()).add(name)
    found = set()
    for name, now in tokens.items():
        before = stored[name].indexes if name in stored else ()
        if before != now and any(holders[token] - {name} for token in {*before} ^ {*now}):
            found.add(name)
    return found


def is_labelled(value: object) -> bool:
    """Returns whether the value is a frame, a series or an index."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series | pandas.Index)


def _same(index: Any) -> Any:
    return index


def _free(token: str, used: set[str]) -> str:
    while token in used:
        token += "'"
    return token


def _state(index: Any) -> tuple[object, ...]:
    return (*index.names, getattr(index, "freq", None))
