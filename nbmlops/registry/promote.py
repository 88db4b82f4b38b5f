"""Promoting: the champion's alias moves to another version, the former champion is archived.

The alias is the truth, and moving it is one call; the tags around it tell the story. A promotion that was cut off
between the two is completed by promoting the same version again.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from nbmlops.core.errors import Conflict, GateRejected, UsageError
from nbmlops.registry.registry import (
    ARCHIVED,
    CHALLENGER,
    CHAMPION,
    FORMER_CHAMPION,
    PROMOTED_AT,
    PROMOTED_BY,
    PROMOTED_WHY,
    STAGE,
    ModelRegistry,
    ModelVersion,
)
from nbmlops.tracking.lineage import VERDICT

_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Promoter:
    """Who promotes, when (ISO 8601, UTC) and why; "" where nobody says."""

    who: str = ""
    when: str = ""
    why: str = ""


NOBODY = Promoter()


@dataclass(frozen=True, slots=True)
class Promotion:
    """The champion after promoting, the one it took over from, if any, and whether anything changed."""

    champion: ModelVersion
    former: ModelVersion | None
    changed: bool


def promote(registry: ModelRegistry, name: str, selector: str, promoter: Promoter = NOBODY) -> Promotion:
    """Returns the promotion of a version to champion; promoting the champion again changes nothing.

    Args:
        registry: Where.
        name: The model's name.
        selector: A version's number, or an alias such as "challenger".
        promoter: Who, when and why.

    Raises:
        UsageError: there is no such model, version or alias.
        GateRejected: the version has no passing verdict.
        Conflict: somebody else moved the alias meanwhile.
        EnvironmentFault: the registry cannot be used.
    """
    version = find_version(registry, name, selector)
    champion = registry.aliased(name, CHAMPION)
    if champion is not None and champion.version == version.version:
        _tell_story(registry, version, version.tags.get(FORMER_CHAMPION, ""))
        return Promotion(_reread(registry, name, CHAMPION), None, changed=False)
    if version.tags.get(VERDICT) != "pass":
        raise GateRejected(
            f"{name} version {version.version} has no passing verdict, so it cannot be champion",
            "register the model through the gate: nbmlops run, or %mlops gate and %mlops register",
        )
    make_champion(registry, version, champion, promoter)
    former = find_version(registry, name, champion.version) if champion is not None else None
    return Promotion(_reread(registry, name, CHAMPION), former, changed=True)


def make_champion(
    registry: ModelRegistry, version: ModelVersion, champion: ModelVersion | None, promoter: Promoter
) -> None:
    """Moves the alias to a version whose verdict was checked, and archives the former champion.

    Args:
        registry: Where.
        version: The one that becomes champion.
        champion: The one that is champion now, as the caller has seen it.
        promoter: Who, when and why.

    Raises:
        Conflict: somebody else moved the alias since the caller looked.
        EnvironmentFault: the registry cannot be used.
    """
    now = registry.aliased(version.name, CHAMPION)
    seen = champion.version if champion is not None else ""
    found = now.version if now is not None else ""
    if found not in {seen, version.version}:
        raise Conflict(
            f"the champion of {version.name} is version {found or 'none'} now, not {seen or 'none'}",
            "look at the versions, then promote again",
        )
    former = seen if seen != version.version else version.tags.get(FORMER_CHAMPION, "")
    story = {PROMOTED_BY: promoter.who, PROMOTED_AT: promoter.when, PROMOTED_WHY: promoter.why, FORMER_CHAMPION: former}
    told = {name: value for name, value in story.items() if value or name in version.tags}
    registry.set_tags(version.name, version.version, told)
    registry.set_alias(version.name, CHAMPION, version.version)
    _tell_story(registry, version, former)


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
    for version in versions:
        if selector == version.version or selector in version.aliases:
            return version
    aliases = sorted({alias for version in versions for alias in version.aliases})
    numbers = [version.version for version in versions]
    near = get_close_matches(selector, [*aliases, *numbers], n=1)
    shown = ", ".join(numbers[:_MOST_SHOWN]) + (", …" if len(numbers) > _MOST_SHOWN else "")
    raise UsageError(
        f"{name} has no version or alias {selector!r}; versions: {shown}; aliases: {', '.join(aliases) or 'none'}",
        f"did you mean {near[0]!r}?" if near else "",
    )


def _tell_story(registry: ModelRegistry, version: ModelVersion, former: str) -> None:
    """Writes the stages that follow from the alias; writing them twice changes nothing."""
    if former and former != version.version:
        registry.set_tags(version.name, former, {STAGE: ARCHIVED})
    challenger = registry.aliased(version.name, CHALLENGER)
    if challenger is not None and challenger.version == version.version:
        registry.remove_alias(version.name, CHALLENGER)
    registry.set_tags(version.name, version.version, {STAGE: CHAMPION})


def _reread(registry: ModelRegistry, name: str, alias: str) -> ModelVersion:
    version = registry.aliased(name, alias)
    if version is None:
        raise Conflict(f"somebody took the alias {alias!r} of {name} away", "look at the versions, then promote again")
    return version
