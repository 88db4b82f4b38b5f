"""References to stored values, as records and as JSON: what step records and run contexts say about a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_json
from nbmlops.pipeline.fields import Fields
from nbmlops.runtime.store.store import ObjectRef

_ADDRESS = re.compile(r"[0-9a-f]{64}")


class Codec(StrEnum):
    """The stored forms; `BUNDLE` is a pickle of several names whose values share objects."""

    ARROW = "arrow"
    NPY = "npy"
    JSON = "json"
    PICKLE = "pickle"
    BUNDLE = "bundle"


class StoredValue(Struct, frozen=True):
    """The value of one name.

    Attributes:
        name: The name in the notebook.
        codec: The stored form.
        ref: Where the bytes are.
        fingerprint: Identity of the content; "bytes:…" where the value could only be identified by its pickle.
        type: Full name of its type.
        members: For a bundle, all names in it; else empty.
        sharing: For a bundle, a digest of how the names share objects.
        code: Digest of the notebook's own classes and functions that it refers to, or "".
        indexes: Tokens of the pandas indexes in it: values with one token hold one object.
    """

    name: str
    codec: Codec
    ref: ObjectRef
    fingerprint: str
    type: str
    members: tuple[str, ...] = ()
    sharing: str = ""
    code: str = ""
    indexes: tuple[str, ...] = ()

    def mates(self, namespace: Mapping[str, StoredValue]) -> tuple[str, ...]:
        """Returns the names, this one included, whose present value is in the same bundle."""
        names = [name for name in self.members if name in namespace and namespace[name].ref == self.ref]
        return tuple(names) or (self.name,)

    def identity(self, namespace: Mapping[str, StoredValue]) -> str:
        """Returns what a step that reads the name depends on: the content, and that of the names it shares with."""
        mates = self.mates(namespace)
        if len(mates) == 1:
            indexes = " ".join(self._foreign_indexes())
            return f"{self.type} {self.fingerprint} {self.code} {indexes}".rstrip()
        values = [namespace[name] for name in mates]
        parts = [[v.name, v.type, v.fingerprint, v.code, *v._foreign_indexes()] for v in values]  # noqa: SLF001 - ours
        return f"shared {digest_json([self.name, self.sharing, parts])}"

    def _foreign_indexes(self) -> list[str]:
        """Returns the tokens that do not follow from the name and the content."""
        own = [first_token(self.name, position, self.fingerprint) for position in range(len(self.indexes))]
        return [token for token, first in zip(self.indexes, own, strict=True) if token != first]


def first_token(name: str, position: int, fingerprint: str) -> str:
    """Returns the token that an index gets when it is stored for the first time.

    Args:
        name: The name of the value that holds it.
        position: How many other indexes the value holds before it.
        fingerprint: Identity of the value's content.
    """
    return f"{name}.{position}.{fingerprint[:16]}"


def value_to_json(value: StoredValue) -> dict[str, Json]:
    """Returns the reference as plain data."""
    document: dict[str, Json] = {
        "name": value.name,
        "codec": value.codec.value,
        "object": value.ref.digest,
        "size": value.ref.size,
        "fingerprint": value.fingerprint,
        "type": value.type,
    }
    document |= {"members": list(value.members), "sharing": value.sharing} if value.members else {}
    document |= {"indexes": list(value.indexes)} if value.indexes else {}
    return document | ({"code": value.code} if value.code else {})


def value_from_json(fields: Fields) -> StoredValue:
    """Returns the reference that `value_to_json` wrote.

    Raises:
        UsageError: a key is missing or of the wrong type.
    """
    return StoredValue(
        name=fields.text("name"),
        codec=fields.choice("codec", Codec),
        ref=ref_from_fields(fields),
        fingerprint=fields.text("fingerprint"),
        type=fields.text("type"),
        members=fields.texts("members"),
        sharing=fields.text("sharing", ""),
        code=fields.text("code", ""),
        indexes=fields.texts("indexes"),
    )


def ref_from_fields(fields: Fields) -> ObjectRef:
    """Returns the reference in `object` and `size`, whose address is nothing but hex digits: it becomes a path.

    Raises:
        UsageError: a key is missing or of another shape.
    """
    address = fields.take("object", "64 hex digits", lambda v: isinstance(v, str) and bool(_ADDRESS.fullmatch(v)))
    return ObjectRef(str(address), fields.integer("size"))
