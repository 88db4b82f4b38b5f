"""The namespace of a run as it passes from step to step: one name -> one stored value.

Steps that are joined share one `Handover`: what one of them left is there for the next one, the same object.

Within a step the values that were loaded stay known, so that at its end everything that changed is stored again:
what the step hands over, inputs it changed in place, and every name whose value shares objects with one of those.
Names that share are stored as one bundle and loaded together, so that `b = a` stays an alias across steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from blake3 import blake3
from msgspec import Struct
from msgspec.structs import replace

from nbmlops.core.digest import digest_json
from nbmlops.data.fingerprints.fingerprint import CannotFingerprint, fingerprint
from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.handover import codecs, pickling
from nbmlops.runtime.handover.carried import carried_code
from nbmlops.runtime.handover.codecs import Encoded
from nbmlops.runtime.handover.identity import told_apart
from nbmlops.runtime.handover.indexes import Indexes, Tokens, is_labelled, moved
from nbmlops.runtime.handover.sharing import CannotStore, Walk, borrowed_memory, shared_groups, sharing_signature
from nbmlops.runtime.store.store import Store
from nbmlops.runtime.store.stored import Codec, StoredValue


class Saved(Struct, frozen=True):
    """What a step handed over.

    Attributes:
        values: The new entries of the namespace, stored.
        changed_inputs: Inputs that changed without being handed over.
        live: Values that cannot be stored, and why: they are to be had in this process only.
        renamed: Values that the step did not load and that hold an index which it changed in place.
    """

    values: tuple[StoredValue, ...]
    changed_inputs: tuple[str, ...]
    live: tuple[LiveValue, ...] = ()
    renamed: tuple[str, ...] = ()

    def unkeyable(self) -> str:
        """Returns why the result depends on values that the step does not read, or ""."""
        return (
            f"it renames an index that {self.renamed[0]!r} holds, too, which it does not read" if self.renamed else ""
        )


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
        self._indexes = Indexes()

    def load(self, name: str) -> Any:
        """Returns the value of a name, the same object each time; those it shares objects with are loaded with it.

        Raises:
            KeyError: there is no such name.
            DamagedObject: its stored bytes are missing or changed.
        """
        if name not in self._live:
            stored = self._namespace[name]
            value = codecs.decode(stored.codec, stored.ref, self._store, self._indexes.taken)
            if stored.codec is Codec.BUNDLE:
                self._live |= {mate: value[mate] for mate in stored.mates(self._namespace) if mate not in self._live}
            else:
                self._live[name] = self._indexes.put_into(value, stored.indexes)
        return self._live[name]

    def bind(self, name: str, value: object) -> None:
        """Makes the value that of the name: a live function bound it, not the code of a step."""
        self._live[name] = value

    def has(self, name: str) -> bool:
        """Returns whether the name has a value."""
        return name in self._live or name in self._namespace

    def release(self) -> frozenset[str]:
        """Returns the names of values that cannot be stored, which are no longer held here: another namespace does.

        Held here as well, an object would stay when the notebook's code binds its name anew.
        """
        names = frozenset(self._live.keys() - self._namespace.keys())
        for name in names:
            del self._live[name]
        return names

    def names(self) -> Iterable[str]:
        """Returns all names that have a value, or a mark that they have none."""
        return dict.fromkeys((*self._namespace, *self._live))

    def values(self) -> Iterable[object]:
        """Returns the values that are alive in this process."""
        return self._live.values()

    def save(self, outputs: Mapping[str, object], compared: Iterable[str] = ()) -> Saved:
        """Returns what was stored: outputs, changed inputs, and names that share objects with them; and what was not.

        Args:
            outputs: The values that the step hands over.
            compared: Names of those whose identity code compares.

        Raises:
            EnvironmentFault: the store cannot be written.
        """
        self._live |= outputs
        renamed = self._indexes.renamed()
        unread = [name for name in self._namespace if name not in self._live and self._holds(name, renamed)]
        for name in unread:
            self.load(name)
        told = {name: told_apart(outputs[name]) for name in compared if name in outputs}
        reasons = {name: reason for name, reason in told.items() if reason}
        walks = _walks({name: value for name, value in self._live.items() if name not in reasons}, reasons)
        prints = _identities(self._live, walks, reasons)
        walks = {name: walk for name, walk in walks.items() if name in prints}
        known = {name: value.fingerprint for name, value in self._namespace.items()}
        tokens = self._indexes.tokens(walks, prints, self._namespace)
        touched = {name for name in prints if name in outputs or prints[name] != known.get(name)}
        touched |= moved(tokens, self._namespace) | {name for name in tokens if self._holds(name, renamed)}
        values: list[StoredValue] = []
        for group in shared_groups(walks):
            if touched.isdisjoint(group):
                continue
            try:
                values += self._stored(group, walks, prints, tokens)
            except CannotStore as error:
                reasons |= dict.fromkeys(group, tidy(error))
        for name in reasons:  # what was stored under the name before is another value
            self._namespace.pop(name, None)
        self._namespace |= {value.name: value for value in values}
        self._indexes.settle(walks, tokens, self._namespace.values())
        changed = tuple(name for name in self._live if name in touched - {*outputs, *reasons})
        live = tuple(LiveValue(name, type_name(self._live[name]), reason) for name, reason in reasons.items())
        return Saved(tuple(values), changed, live, tuple(unread))

    def _holds(self, name: str, tokens: frozenset[str]) -> bool:
        return name in self._namespace and not tokens.isdisjoint(self._namespace[name].indexes)

    def _stored(
        self, group: tuple[str, ...], walks: Mapping[str, Walk], prints: Mapping[str, str], tokens: Tokens
    ) -> list[StoredValue]:
        if len(group) == 1:
            return [self._store_one(group[0], walks[group[0]], prints[group[0]], tokens[group[0]])]
        return self._store_bundle(group, walks, prints, tokens)

    def _store_one(self, name: str, walk: Walk, print_: str, tokens: tuple[str, ...]) -> StoredValue:
        value = self._live[name]
        inside = {} if is_labelled(value) else dict(zip(walk.indexes, tokens, strict=True))
        encoded = codecs.encode(value, walk, inside)
        code, ref = carried_code(walk.code.values(), self._package), self._store.put(encoded.parts)
        return StoredValue(name, encoded.codec, ref, print_, type_name(value), code=code, indexes=tokens)

    def _store_bundle(
        self, group: tuple[str, ...], walks: Mapping[str, Walk], prints: Mapping[str, str], tokens: Tokens
    ) -> list[StoredValue]:
        names = tuple(sorted(group))
        inside = {key: token for name in names for key, token in zip(walks[name].indexes, tokens[name], strict=True)}
        encoded: Encoded = codecs.encode_bundle({name: self._live[name] for name in names}, walks, inside)
        ref = self._store.put(encoded.parts)
        sharing = digest_json(sharing_signature(names, walks))
        whole = StoredValue("", Codec.BUNDLE, ref, "", "", names, sharing)
        return [
            replace(
                whole,
                name=name,
                fingerprint=prints[name],
                type=type_name(self._live[name]),
                code=carried_code(walks[name].code.values(), self._package),
                indexes=tokens[name],
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


def _walks(values: Mapping[str, Any], reasons: dict[str, str]) -> dict[str, Walk]:
    """Returns a walk for each value that can be stored as far as walking shows; notes why for the others."""
    walks: dict[str, Walk] = {}
    for name, value in values.items():
        try:
            walks[name] = Walk(value)
        except CannotStore as error:
            reasons[name] = tidy(error)
    while borrower := borrowed_memory(walks):
        reasons[borrower] = "it is an array over the memory of another object that is handed over, too"
        del walks[borrower]
    return walks


def _identities(values: Mapping[str, Any], walks: Mapping[str, Walk], reasons: dict[str, str]) -> dict[str, str]:
    """Returns what each value is known by; notes why for those that cannot be pickled after all."""
    prints: dict[str, str] = {}
    for name, walk in walks.items():
        try:
            prints[name] = fingerprint(values[name])
        except CannotFingerprint:
            try:
                prints[name] = f"bytes:{_digest(pickling.dumps(values[name], [walk]))}"
            except CannotStore as error:
                reasons[name] = tidy(error)
    return prints


def _digest(parts: pickling.Parts) -> str:
    hasher = blake3()
    for part in parts:
        hasher.update(part)
    return hasher.hexdigest()
