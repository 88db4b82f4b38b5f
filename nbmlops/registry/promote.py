"""Which version is champion, challenger or archived: promoting, rolling back, archiving.

The aliases are the truth; Production is the champion, Staging the challenger, Archived a version that was either. The
tags beside them tell the story.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TypeGuard

from msgspec import Struct

from nbmlops.core.errors import Conflict, EnvironmentFault, GateRejected, UsageError
from nbmlops.registry.audit import Action, AuditLine
from nbmlops.registry.registry import (
    ARCHIVED,
    CHALLENGER,
    CHAMPION,
    FORMER_CHAMPION,
    MLFLOW_STAGES,
    PROMOTED_AT,
    PROMOTED_BY,
    PROMOTED_WHY,
    STAGE,
    SUPERSEDED,
    ModelRegistry,
    ModelVersion,
)
from nbmlops.registry.transitions import NOBODY, Actor, Standing, Transition, Write, change, standing
from nbmlops.tracking.lineage import VERDICT

PRODUCTION, STAGING = "production", "staging"
STAGES = {
    CHAMPION: CHAMPION,
    CHALLENGER: CHALLENGER,
    **{name.lower(): stage for stage, name in MLFLOW_STAGES.items()},
}
"""What a version can be promoted to, under both names, and what that is."""
_MOST_SHOWN = 10


class Promotion(Struct, frozen=True):
    """What a version is now.

    Attributes:
        version: The version, as it is now.
        stage: What it became: champion, challenger or archived.
        former: The one that was that before, if any, as it is now.
        changed: Whether anything changed.
    """

    version: ModelVersion
    stage: str
    former: ModelVersion | None
    changed: bool


def promote(
    registry: ModelRegistry,
    name: str,
    selector: str,
    actor: Actor = NOBODY,
    *,
    to: str = CHAMPION,
    expected: str | None = None,
) -> Promotion:
    """Returns what a version has become; making it what it is already changes nothing.

    Args:
        registry: Where.
        name: The model's name.
        selector: A version's number, or an alias such as "challenger".
        actor: Who, when and why.
        to: One of `STAGES`.
        expected: The version that has to be champion now; None for the one that is when this is called.

    Raises:
        UsageError: there is no such model, version, alias or stage.
        GateRejected: the version has no passing verdict.
        Conflict: the champion is another one than expected, or somebody else changes the model.
        EnvironmentFault: the registry cannot be used, or the stored model of the version is gone.
    """
    stage = _stage(to)
    version = find_version(registry, name, selector)
    if stage != ARCHIVED and version.tags.get(VERDICT) != "pass":
        raise GateRejected(
            f"{name} version {version.version} has no passing verdict, so it cannot be {stage}",
            "register the model through the gate: nbmlops run, or %mlops gate and %mlops register",
        )
    if stage != ARCHIVED and not registry.has_model(version):
        raise EnvironmentFault(
            f"the stored model of {name} version {version.version} is gone, so it cannot be {stage}",
            "run its pipeline again, and register what it makes: nbmlops run, nbmlops register",
        )
    entry = registry.entry(name)
    aliases = entry.aliases if entry is not None else {}
    seen = expected if expected is not None else aliases.get(CHAMPION, "")
    former = ""

    def plan(now: Standing) -> Transition | None:
        nonlocal former
        found = now.version(version.version)
        if found is None:
            raise Conflict(f"{name} version {version.version} was deleted meanwhile", "look at the versions")
        _check_alias(now, CHAMPION, seen, version.version)
        if stage == CHALLENGER:
            _check_alias(now, CHALLENGER, aliases.get(CHALLENGER, ""), version.version)
        former = now.entry.aliases.get(stage, "")
        if stage == ARCHIVED:
            return _archiving(now, found)
        return champion_plan(now, found, actor) if stage == CHAMPION else challenger_plan(now, found)

    changed = change(registry, name, actor, plan)
    return _promotion(registry, version, stage, former, changed=changed)


def rollback(registry: ModelRegistry, name: str, actor: Actor = NOBODY, *, to: str = "") -> Promotion:
    """Returns the version that is champion again: the one before the champion, or an earlier one.

    Args:
        registry: Where.
        name: The model's name.
        actor: Who, when and why.
        to: The number of a version that was champion; "" for the one before the champion.

    Raises:
        UsageError: there is no such model, or no champion to return to.
        Conflict: somebody else changes the model.
        EnvironmentFault: the registry cannot be used, or the stored model of the version is gone.
    """
    now = standing(registry, name)
    champion = now.aliased(CHAMPION)
    if champion is None:
        champion = find_version(registry, name, CHAMPION)  # or says what there is
    target = _target(now, champion, to)
    if not registry.has_model(target):
        raise EnvironmentFault(
            f"the stored model of {name} version {target.version} is gone, so it cannot be champion again",
            f"return to another one: nbmlops rollback {name} --to VERSION{_choice(now, champion, target.version)}",
        )

    def plan(now: Standing) -> Transition | None:
        found = now.version(target.version)
        if found is None:
            raise Conflict(f"{name} version {target.version} was deleted meanwhile", "look at the versions")
        _check_alias(now, CHAMPION, champion.version, champion.version)
        return champion_plan(now, found, actor, Action.ROLLBACK)

    change(registry, name, actor, plan)
    return _promotion(registry, target, CHAMPION, champion.version, changed=True)


def champion_plan(
    now: Standing, version: ModelVersion, actor: Actor, action: Action = Action.PROMOTE
) -> Transition | None:
    """Returns how a version becomes champion; None if it is, with all that belongs to it.

    A version that comes back keeps the former champion that it had, so that rolling back again goes further back.
    """
    champion = now.aliased(CHAMPION)
    is_it = champion is not None and champion.version == version.version
    before = version.tags.get(FORMER_CHAMPION, "")
    former = before if is_it or action is Action.ROLLBACK or champion is None else champion.version
    story = {PROMOTED_BY: actor.who, PROMOTED_AT: actor.when, PROMOTED_WHY: actor.why, FORMER_CHAMPION: former}
    told = {name: value for name, value in story.items() if value or name in version.tags} if not is_it else {}
    writes = [Write(version.version, CHAMPION)] if not is_it else []
    if now.entry.aliases.get(CHALLENGER) == version.version:
        writes.append(Write("", CHALLENGER))
    archived = now.version(before) if is_it else champion
    if archived is not None and archived.version != version.version and archived.tags.get(STAGE) != ARCHIVED:
        writes.append(Write(archived.version, tags={STAGE: ARCHIVED}))
    if told or version.tags.get(STAGE) != CHAMPION:
        writes.append(Write(version.version, tags={**told, STAGE: CHAMPION}))
    # What is champion already, and lacks what belongs to it, was made so by another tool, or by an older version.
    if is_it and writes:
        writes.insert(0, Write(version.version, CHAMPION))  # so that the log says where the alias is
    return Transition(Action.COMPLETE if is_it else action, version.version, tuple(writes)) if writes else None


def challenger_plan(now: Standing, version: ModelVersion, action: Action = Action.PROMOTE) -> Transition | None:
    """Returns how a version becomes challenger; None if it is, with all that belongs to it.

    Raises:
        UsageError: it is the champion.
    """
    name = version.name
    if now.entry.aliases.get(CHAMPION) == version.version:
        raise UsageError(
            f"{name} version {version.version} is the champion, so it cannot be its own challenger",
            f"return to the champion before it: nbmlops rollback {name} --reason TEXT",
        )
    is_it = now.entry.aliases.get(CHALLENGER) == version.version
    writes = [] if is_it else [Write(version.version, CHALLENGER)]
    # Not only the one that has the alias: other tools may have moved it, and told nothing.
    writes += [
        Write(former.version, tags={STAGE: SUPERSEDED})
        for former in now.versions
        if former.version != version.version and former.tags.get(STAGE) == CHALLENGER
    ]
    if version.tags.get(STAGE) != CHALLENGER:
        writes.append(Write(version.version, tags={STAGE: CHALLENGER}))
    return Transition(action, version.version, tuple(writes)) if writes else None


def find_version(registry: ModelRegistry, name: str, selector: str) -> ModelVersion:
    """Returns the version with this number or alias.

    Raises:
        UsageError: there is no such model, version or alias.
    """
    versions = registry.versions(name)
    if not versions:
        names = registry.names()
        near = get_close_matches(name, names, n=1)
        known = ", ".join(names[:_MOST_SHOWN]) or "none yet"
        hint = f"did you mean {near[0]!r}?" if near else "" if names else "register one: nbmlops run PIPELINE"
        raise UsageError(f"no model {name!r} is registered; registered: {known}", hint)
    wanted = {PRODUCTION: CHAMPION, STAGING: CHALLENGER}.get(selector.lower(), selector)
    for version in versions:
        if wanted == version.version or wanted in version.aliases:
            return version
    aliases = sorted({alias for version in versions for alias in version.aliases})
    numbers = [version.version for version in versions]
    near = get_close_matches(selector, [*aliases, *numbers], n=1)
    shown = ", ".join(numbers[:_MOST_SHOWN]) + (", …" if len(numbers) > _MOST_SHOWN else "")
    raise UsageError(
        f"{name} has no version or alias {selector!r}; versions: {shown}; aliases: {', '.join(aliases) or 'none'}",
        f"did you mean {near[0]!r}?" if near else "",
    )


def _stage(to: str) -> str:
    if (stage := STAGES.get(to.lower())) is not None:
        return stage
    near = [one for one in STAGES if to and one.startswith(to.lower())] or get_close_matches(to.lower(), STAGES, n=1)
    raise UsageError(
        f"a version cannot become {to!r}; it can become {', '.join(STAGES)}",
        f"did you mean {near[0]!r}?" if near else "",
    )


def _check_alias(now: Standing, alias: str, seen: str, wanted: str) -> None:
    # Neither the one that was seen nor the one that is wanted: somebody else moved it meanwhile.
    found = now.entry.aliases.get(alias, "")
    if found in {seen, wanted}:
        return
    move = now.log.last_move(alias)
    by = f", made so by {move.who or 'somebody'} at {move.when or 'a time unknown'}" if _is(move, alias, found) else ""
    raise Conflict(
        f"the {alias} of {now.entry.name} is version {found or 'none'} now, not {seen or 'none'}{by}",
        f"look at what happened, then decide again: nbmlops audit show {now.entry.name}",
    )


def _is(move: AuditLine | None, alias: str, found: str) -> TypeGuard[AuditLine]:
    """Returns whether it was this line that moved the alias to where it is."""
    return move is not None and move.aliases[alias] == found


def _archiving(now: Standing, version: ModelVersion) -> Transition | None:
    if now.entry.aliases.get(CHAMPION) == version.version:
        raise UsageError(
            f"{version.name} version {version.version} is the champion; without one nothing would be live",
            f"promote another one, or return to the one before: nbmlops rollback {version.name} --reason TEXT",
        )
    is_challenger = now.entry.aliases.get(CHALLENGER) == version.version
    writes = [Write("", CHALLENGER)] if is_challenger else []
    if version.tags.get(STAGE) != ARCHIVED:
        writes.append(Write(version.version, tags={STAGE: ARCHIVED}))
    return Transition(Action.ARCHIVE, version.version, tuple(writes)) if writes else None


def _target(now: Standing, champion: ModelVersion, to: str) -> ModelVersion:
    name = champion.name
    number = to or champion.tags.get(FORMER_CHAMPION, "")
    if not number:
        others = _choice(now, champion, "")
        raise UsageError(
            f"{name} version {champion.version} is the first champion: there is none to return to",
            f"return to a later one: nbmlops rollback {name} --to VERSION{others} --reason TEXT"
            if others
            else f"promote another version: nbmlops promote {name}/VERSION --reason TEXT",
        )
    found = now.version(number)
    if found is None:
        raise UsageError(
            f"{name} version {number}, the champion before version {champion.version}, is not registered any more"
            if not to
            else f"{name} has no version {number}",
            f"return to another one: nbmlops rollback {name} --to VERSION{_choice(now, champion, number)}",
        )
    if found.version == champion.version:
        raise UsageError(f"{name} version {number} is the champion already")
    if number not in _former_champions(now):
        raise UsageError(
            f"{name} version {number} never was champion, so there is no returning to it",
            f"promote it: nbmlops promote {name}/{number} --reason TEXT",
        )
    return found


def _former_champions(now: Standing) -> set[str]:
    """Returns the numbers of all versions that were champion, as the log and the versions' tags tell."""
    told = {line.aliases.get(CHAMPION, "") for line in now.log.lines if line.action is not Action.ABANDON}
    return {*told, *(version.tags.get(FORMER_CHAMPION, "") for version in now.versions)} - {""}


def _choice(now: Standing, champion: ModelVersion, gone: str) -> str:
    there = _former_champions(now) - {champion.version, gone}
    numbers = [version.version for version in now.versions if version.version in there]
    return f" ({', '.join(numbers[:_MOST_SHOWN])})" if numbers else ""


def _promotion(registry: ModelRegistry, version: ModelVersion, stage: str, former: str, *, changed: bool) -> Promotion:
    versions = {one.version: one for one in registry.versions(version.name)}
    now = versions.get(version.version)
    if now is None or (stage != ARCHIVED and stage not in now.aliases):
        raise Conflict(
            f"somebody took the alias {stage!r} of {version.name} away", "look at the versions, then promote again"
        )
    return Promotion(now, stage, versions.get(former) if former != version.version else None, changed)
