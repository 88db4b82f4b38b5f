"""Changing which version is what: decided as a plan, written down as an intent, then carried out and told in the log.

The first write of a plan decides: before it nothing has happened, after it everything is going to. So a change that was
cut off is finished or undone by the next command, from what its lease says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.core.errors import UsageError
from nbmlops.registry.audit import (
    Action,
    AuditLine,
    AuditLog,
    head_tags,
    line_from_json,
    line_tags,
    line_to_json,
    read_log,
)
from nbmlops.registry.lease import WAIT_SECONDS, lease
from nbmlops.registry.registry import ModelRegistry, ModelVersion, NameEntry
from nbmlops.tracking.lineage import VERDICT_DIGEST, WAIVED


class Actor(Struct, frozen=True):
    """Who acts, when (ISO 8601, UTC) and why; "" where nobody says."""

    who: str = ""
    when: str = ""
    why: str = ""


NOBODY = Actor()


class Write(Struct, frozen=True):
    """One write: an alias that moves to the version, or goes ("" as version); without an alias, tags of the version."""

    version: str
    alias: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class Transition(Struct, frozen=True):
    """What is to be done: the version that it is about, and the writes, of which the first decides."""

    action: Action
    version: str
    writes: tuple[Write, ...]


class Standing(Struct, frozen=True):
    """A model as the registry has it now: what is kept with its name, and its versions, newest first."""

    entry: NameEntry
    versions: tuple[ModelVersion, ...]

    def version(self, number: str) -> ModelVersion | None:
        """Returns the version with this number."""
        return next((version for version in self.versions if version.version == number), None)

    def aliased(self, alias: str) -> ModelVersion | None:
        """Returns the version that an alias points at."""
        return self.version(self.entry.aliases.get(alias, ""))

    @property
    def log(self) -> AuditLog:
        """What has been done to it."""
        return read_log(self.entry, self.versions)


def standing(registry: ModelRegistry, model: str) -> Standing:
    """Returns how a model stands; one that is not there has neither aliases nor versions.

    Raises:
        EnvironmentFault: the registry cannot be used.
    """
    return Standing(registry.entry(model) or NameEntry(model), registry.versions(model))


def change(
    registry: ModelRegistry,
    model: str,
    actor: Actor,
    plan: Callable[[Standing], Transition | None],
    wait: float = WAIT_SECONDS,
) -> bool:
    """Returns whether anything was changed.

    Args:
        registry: Where.
        model: Its name.
        actor: Who, when, why.
        plan: Returns what is to be done with a model that stands so, or None; may raise, and nothing happens then.
        wait: Seconds to wait for somebody else who changes it.

    Raises:
        Conflict: somebody else is at it.
        EnvironmentFault: the registry cannot be used; what was begun is finished or undone by the next command.
    """

    def recover(intent: str) -> None:
        _recover(registry, model, actor, intent)

    with lease(registry, model, actor.who, recover, wait) as held:
        now = standing(registry, model)
        transition = plan(now)
        if transition is None:
            return False
        line = _line(now, transition, actor)
        held.intend(_intent_to_text(line, transition.writes))
        _carry_out(registry, now, line, transition.writes)
    return True


def _carry_out(registry: ModelRegistry, now: Standing, line: AuditLine, writes: Sequence[Write]) -> None:
    for write in writes:
        if not _is_done(now, write):
            _do(registry, line.model, write)
    _append(registry, line)


def _recover(registry: ModelRegistry, model: str, actor: Actor, intent: str) -> None:
    """Finishes what somebody intended if it was begun, else tells that it was given up."""
    read = _intent_from_text(intent)
    now = standing(registry, model)
    if read is None or now.version(read[0].version) is None:
        return  # nobody could do it any more: not by nbmlops, or its version was deleted meanwhile
    line, writes = read
    if line.model != model or not writes:
        return
    known = next((one for one in now.log.lines if one.hash == line.hash), None)
    if known is not None:
        registry.tag_entry(model, head_tags(now.log.lines[-1]))  # only that may have been missing
        return
    if line.previous != now.log.end.hash:
        return  # the log went on without it: whoever intended it had lost the lease, and has done nothing
    told = replace(line, who=actor.who, when=actor.when)
    if not _is_done(now, writes[0]):
        why = f"{line.action} was cut off before it changed anything"
        _append(registry, replace(told, action=Action.ABANDON, reason=why))
        return
    _carry_out(registry, now, line, writes)
    why = f"line {line.number} was cut off, and has been completed"
    bare = replace(told, number=line.number + 1, previous=line.hash, aliases={}, before={})
    _append(registry, replace(bare, action=Action.COMPLETE, reason=why))


def _append(registry: ModelRegistry, line: AuditLine) -> None:
    registry.set_tags(line.model, line.version, line_tags(line))
    registry.tag_entry(line.model, head_tags(line))


def _line(now: Standing, transition: Transition, actor: Actor) -> AuditLine:
    version = now.version(transition.version)
    tags = version.tags if version is not None else {}
    end = now.log.end
    aliases = {write.alias: write.version for write in transition.writes if write.alias}
    return AuditLine(
        number=end.number + 1,
        when=actor.when,
        who=actor.who,
        action=transition.action,
        model=now.entry.name,
        version=transition.version,
        aliases=aliases,
        before={alias: now.entry.aliases.get(alias, "") for alias in aliases},
        reason=actor.why,
        verdict=tags.get(VERDICT_DIGEST, ""),
        waived=tags.get(WAIVED, ""),
        previous=end.hash,
    )


def _is_done(now: Standing, write: Write) -> bool:
    if write.alias:
        return now.entry.aliases.get(write.alias, "") == write.version
    version = now.version(write.version)
    return version is not None and write.tags.items() <= version.tags.items()


def _do(registry: ModelRegistry, model: str, write: Write) -> None:
    if not write.alias:
        registry.set_tags(model, write.version, write.tags)
    elif write.version:
        registry.set_alias(model, write.alias, write.version)
    else:
        registry.remove_alias(model, write.alias)


def _intent_to_text(line: AuditLine, writes: Sequence[Write]) -> str:
    plain = [{"version": write.version, "alias": write.alias, "tags": dict(write.tags)} for write in writes]
    return json.dumps({"line": line_to_json(line), "writes": plain})


def _intent_from_text(intent: str) -> tuple[AuditLine, tuple[Write, ...]] | None:
    try:
        document = json.loads(intent)
        writes = tuple(Write(str(one["version"]), str(one["alias"]), dict(one["tags"])) for one in document["writes"])
        return line_from_json(document["line"]), writes
    except (KeyError, TypeError, ValueError, UsageError):
        return None
