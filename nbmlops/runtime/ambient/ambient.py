"""State that belongs to no name, as it passes from step to step: random generators, settings of libraries, the process.

Only references: a step record says of each part that its step changed where the new state is stored, and by which
identity keys know it. What the parts are and how they are taken and put back is in `nbmlops.runtime.ambient.session`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.fields import Fields
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import ref_from_fields


class Setting(Struct, frozen=True):
    """One part of the ambient state as a step left it.

    Attributes:
        ref: Where it is; values of environment variables, which may be secrets, stand nowhere else.
        identity: Digest of its content, which keys hold.
    """

    ref: ObjectRef
    identity: str


class AmbientState(Struct, frozen=True):
    """What a step begins with beside its values.

    Attributes:
        random: The state of the random generators, in the store; None as long as nobody used one.
        settings: Part -> its state, for the parts that an earlier step changed.
    """

    random: ObjectRef | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def random_digest(self) -> str:
        """What stands for the random state in keys, "" for none."""
        return self.random.digest if self.random else ""

    def identity(self, part: str) -> str:
        """Returns what stands for a part in keys, "" for one that nobody changed."""
        return self.settings[part].identity if part in self.settings else ""


def settings_to_json(settings: Mapping[str, Setting]) -> dict[str, Json]:
    """Returns the parts as plain data."""
    return {
        part: {"object": found.ref.digest, "size": found.ref.size, "identity": found.identity}
        for part, found in settings.items()
    }


def settings_from_json(fields: Fields | None) -> dict[str, Setting]:
    """Returns the parts that `settings_to_json` wrote; none where nothing was written.

    Raises:
        UsageError: something is of another shape.
    """
    found = {}
    for part in fields.names() if fields else ():
        assert fields is not None
        child = fields.child(part)
        found[part] = Setting(ref_from_fields(child), child.text("identity"))
    return found


def ref_to_json(ref: ObjectRef | None) -> Json:
    """Returns a reference, or its absence, as plain data."""
    return None if ref is None else {"object": ref.digest, "size": ref.size}


def ref_from_json(fields: Fields, key: str) -> ObjectRef | None:
    """Returns the reference that `ref_to_json` wrote.

    Raises:
        UsageError: it is of another shape.
    """
    child = fields.optional(key)
    return ref_from_fields(child) if child else None
