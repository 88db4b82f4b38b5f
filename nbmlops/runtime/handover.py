"""The namespace of a run as it passes from step to step: one name -> one stored value.

Within a step the values that were loaded stay known, so that at its end everything that changed is stored again:
what the step hands over, inputs it changed in place, and every name whose value shares objects with one of those.
Names that share are stored as one bundle and loaded together, so that `b = a` stays an alias across steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from blake3 import blake3

from nbmlops.core.digest import digest_json
from nbmlops.data.fingerprint import CannotFingerprint, fingerprint
from nbmlops.runtime import codecs, pickling
from nbmlops.runtime.carried import carried_code
from nbmlops.runtime.codecs import Codec, Encoded
from nbmlops.runtime.sharing import CannotStore, Walk, borrowed_memory, shared_groups, sharing_signature
from nbmlops.runtime.store import Store
from nbmlops.runtime.stored import StoredValue


class Unstorable(Exception):
    """The value of a name cannot be stored; the text says which part and why."""

    def __init__(self, name: str, type_: str, reason: str) -> None:
        super().__init__(reason)
        self.name, self.type = name, type_


@dataclass(frozen=True, slots=True)
class Saved:
    """What a step stored: the new entries of the namespace, and the inputs that changed without being handed over."""

    values: tuple[StoredValue, ...]
    changed_inputs: tuple[str, ...]


class Handover:
    """The values of one step: loaded from the namespace, and stored again at its end.

    Args:
        store: Where the objects are.
        namespace: The values that exist when the step begins.
        package: The generated package, whose definitions values may refer to.
    """

    def __init__(self, store: Store, namespace: Mapping[str, StoredValue], package: str) -> None:
        self._store, self._package = store, package
        self._namespace = dict(namespace)
        self._live: dict[str, Any] = {}

    def load(self, name: str) -> Any:
        """Returns the value of a name, the same object each time; those it shares objects with are loaded with it.

        Raises:
            KeyError: there is no such name.
            DamagedObject: its stored bytes are missing or changed.
        """
        if name not in self._live:
            stored = self._namespace[name]
            value = codecs.decode(stored.codec, stored.ref, self._store)
            if stored.codec is Codec.BUNDLE:
                self._live |= {mate: value[mate] for mate in stored.mates(self._namespace) if mate not in self._live}
            else:
                self._live[name] = value
        return self._live[name]

    def save(self, outputs: Mapping[str, object]) -> Saved:
        """Returns what was stored: outputs, changed inputs, and names that share objects with them.

        Args:
            outputs: The values that the step hands over.

        Raises:
            Unstorable: a value cannot be stored; nothing is claimed.
            EnvironmentFault: the store cannot be written.
        """
        live = {**self._live, **outputs}
        walks = {name: _walk(name, value) for name, value in live.items()}
        if borrower := borrowed_memory(walks):
            reason = "it is an array over the memory of another object that is handed over, too; make a copy of it"
            raise Unstorable(borrower, type_name(live[borrower]), reason)
        prints = {name: _identity(name, value, walks[name]) for name, value in live.items()}
        touched = {name for name in live if name in outputs or prints[name] != self._namespace[name].fingerprint}
        values: list[StoredValue] = []
        for group in shared_groups(walks):
            if touched.isdisjoint(group):
                continue
            if len(group) == 1:
                values.append(self._store_one(group[0], live[group[0]], walks[group[0]], prints[group[0]]))
            else:
                values.extend(self._store_bundle(group, live, walks, prints))
        self._live = live
        self._namespace |= {value.name: value for value in values}
        changed = tuple(name for name in live if name in touched and name not in outputs)
        return Saved(tuple(values), changed)

    def _store_one(self, name: str, value: object, walk: Walk, print_: str) -> StoredValue:
        type_ = type_name(value)
        try:
            encoded = codecs.encode(value, walk, fingerprint)
        except CannotStore as error:
            raise Unstorable(name, type_, tidy(error)) from error
        code = carried_code(walk.code.values(), self._package)
        return StoredValue(name, encoded.codec, self._store.put(encoded.parts), print_, type_, code=code)

    def _store_bundle(
        self, group: tuple[str, ...], live: Mapping[str, Any], walks: Mapping[str, Walk], prints: Mapping[str, str]
    ) -> list[StoredValue]:
        names = tuple(sorted(group))
        try:
            encoded: Encoded = codecs.encode_bundle({name: live[name] for name in names}, walks)
        except CannotStore as error:
            raise Unstorable(", ".join(names), type_name(live[names[0]]), tidy(error)) from error
        ref = self._store.put(encoded.parts)
        sharing = digest_json(sharing_signature(names, walks))
        whole = StoredValue("", Codec.BUNDLE, ref, "", "", names, sharing)
        return [
            replace(
                whole,
                name=name,
                fingerprint=prints[name],
                type=type_name(live[name]),
                code=carried_code(walks[name].code.values(), self._package),
            )
            for name in names
        ]


def type_name(value: object) -> str:
    """Returns the full name of the value's type."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def tidy(error: Exception) -> str:
    """Returns the text of a pickling error without memory addresses."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", str(error))


def _walk(name: str, value: object) -> Walk:
    try:
        return Walk(value)
    except CannotStore as error:
        raise Unstorable(name, type_name(value), tidy(error)) from error


def _identity(name: str, value: object, walk: Walk) -> str:
    try:
        return fingerprint(value)
    except CannotFingerprint:
        try:
            return f"bytes:{blake3(pickling.dumps(value, [walk])).hexdigest()}"
        except CannotStore as error:
            raise Unstorable(name, type_name(value), tidy(error)) from error
