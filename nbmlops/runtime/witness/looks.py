"""Looks at live values, in the notebook's kernel or after they were loaded from the pipeline's store.

Looking changes nothing that code could notice: no random state, no output, no warning that is shown only once.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nbmlops.data.compare.facts import facts_of
from nbmlops.data.fingerprints.fingerprint import CannotFingerprint, fingerprint_for_comparing
from nbmlops.runtime.ambient import random_state
from nbmlops.runtime.handover import codecs
from nbmlops.runtime.handover.handover import tidy, type_name
from nbmlops.runtime.handover.sharing import CannotStore, Walk, shared_groups
from nbmlops.runtime.store.store import Store
from nbmlops.runtime.witness.records import NOTEBOOK, SeenValue


class Look(Walk):
    """A walk that takes the notebook's own code for what it is in the pipeline: found by its name."""

    def check_code(self, obj: Any) -> None:
        """Accepts every class and function: pickle finds out which ones have no name."""


class Looker:
    """Describes values, each different one once.

    Args:
        homes: Top-level modules of the notebook's own code.
        store: Where values go that may have to be explained; None to keep none.
    """

    def __init__(self, homes: frozenset[str], store: Store | None = None) -> None:
        self._homes, self._store = homes, store
        self._seen: dict[tuple[str, str], SeenValue] = {}

    def look(self, values: Mapping[str, Any]) -> tuple[tuple[SeenValue, ...], tuple[tuple[str, ...], ...]]:
        """Returns what the values are, in order, and which of the names share objects."""
        with unnoticed():
            walks: dict[str, Walk] = {}
            seen = []
            for name, value in values.items():
                walk = _walk(value)
                if walk is not None:
                    walks[name] = walk
                seen.append(self._value(name, value, walk))
            groups = [tuple(sorted(group)) for group in shared_groups(walks, indexes=True) if len(group) > 1]
        return tuple(seen), tuple(sorted(groups))

    def _value(self, name: str, value: Any, walk: Walk | None) -> SeenValue:
        kind = type_name(value)
        try:
            print_ = fingerprint_for_comparing(value, self._homes)
        except CannotFingerprint as refusal:
            return SeenValue(name, kind, "", tidy_reason(refusal))
        known = self._seen.get((name, print_))
        facts = facts_of(value, self._homes)
        if known is not None and known.facts == facts:
            return known
        found = SeenValue(name, kind, print_, "", facts, *self._stored(value, walk))
        self._seen[name, print_] = found
        return found

    def _stored(self, value: Any, walk: Walk | None) -> tuple[Any, ...]:
        if walk is None or self._store is None:
            return ()
        try:
            encoded = codecs.encode(value, walk)
        except CannotStore:
            return ()  # it is compared by its fingerprint alone; only an explanation would need the value
        return encoded.codec, self._store.put(encoded.parts)


def _walk(value: Any) -> Walk | None:
    try:
        return Look(value)
    except CannotStore:
        return None


def tidy_reason(refusal: CannotFingerprint) -> str:
    """Returns which part of a value has no fingerprint and why, without memory addresses."""
    part = refusal.part.removeprefix("value")
    return tidy(Exception(f"{part}: {refusal.reason}" if part else refusal.reason))


@contextlib.contextmanager
def unnoticed() -> Iterator[None]:
    """Keeps what libraries do while values are looked at from being noticed."""
    before = random_state.capture()
    silence = io.StringIO()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(silence),
        contextlib.redirect_stderr(silence),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            random_state.restore(before)


def bound(namespace: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Returns those of the names that are bound, in order, with their values."""
    return {name: namespace[name] for name in names if name in namespace}


Namespace = Callable[[], Mapping[str, Any]]
__all__ = ["NOTEBOOK", "Look", "Looker", "Namespace", "bound", "tidy_reason", "unnoticed"]
