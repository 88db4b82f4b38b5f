"""Registering: a passing verdict and a candidate become a version, once.

The first passing version of a name becomes champion, later ones challenger, or champion at once where the project says
so. Called by the magic, the command and the pipeline's closing stage.
"""

from __future__ import annotations

from nbmlops.core.errors import GateRejected
from nbmlops.gate.verdict import Outcome, Verdict
from nbmlops.registry.audit import Action
from nbmlops.registry.promote import challenger_plan, champion_plan
from nbmlops.registry.registry import (
    CHAMPION,
    MODEL_DIGEST,
    STAGE,
    Candidate,
    ModelRegistry,
    ModelVersion,
)
from nbmlops.registry.transitions import NOBODY, Actor, Standing, Transition, change
from nbmlops.tracking.lineage import RUN_ID, VERDICT_BASELINE

_MOST_RULES = 3


def register(
    verdict: Verdict,
    candidate: Candidate,
    registry: ModelRegistry,
    *,
    promote_on_pass: bool = False,
    actor: Actor = NOBODY,
) -> ModelVersion:
    """Returns the version that holds the candidate, new or, for the same run and model, the one that is there.

    Args:
        verdict: The gate's answer on the candidate's metrics.
        candidate: The model with its lineage.
        registry: Where to.
        promote_on_pass: Make it champion even though there is one; a challenger, if that is not the one it was judged
            against.
        actor: Who registers, when and why.

    Raises:
        GateRejected: the verdict is not a passing one, or left out a champion that is there now.
        UsageError: the model is of a kind that cannot be stored safely.
        Conflict: somebody else changes the model for longer than one waits.
        EnvironmentFault: the registry cannot be used.
    """
    if not verdict.passed:
        raise GateRejected(f"{candidate.model_name} is not registered: {_why(verdict)}", verdict.hint)
    version = _same_model(registry, candidate)
    if version is None:
        _check_baseline(registry, candidate.model_name, verdict)
        version = registry.add(candidate, verdict)
    # The stage is written last: a version without one was left unfinished by a process that died.
    if STAGE not in version.tags:
        promotes = promote_on_pass and not _skipped(verdict)  # a champion may have come since the check above
        _stage(registry, version, promote_on_pass=promotes, actor=actor)
    return _current(registry, version)


def finish(
    registry: ModelRegistry, name: str, run_id: str, *, promote_on_pass: bool = False, actor: Actor = NOBODY
) -> ModelVersion | None:
    """Returns the version that a process registered before it died, which has all that belongs to it now.

    None if it had not come to that: a model that was stored, or was being stored, is marked as failed then.

    Args:
        registry: Where.
        name: The model's name.
        run_id: The run whose process died.
        promote_on_pass: As for `register`.
        actor: Likewise.

    Raises:
        EnvironmentFault: the registry cannot be used.
    """
    for version in registry.versions(name):
        if version.tags.get(RUN_ID, version.run_id) == run_id and MODEL_DIGEST in version.tags:
            _stage(registry, version, promote_on_pass=promote_on_pass, actor=actor)
            return _current(registry, version)
    registry.give_up(run_id)
    return None


def _stage(registry: ModelRegistry, version: ModelVersion, *, promote_on_pass: bool, actor: Actor) -> None:
    """Makes the version champion or challenger unless it has been either."""

    def plan(now: Standing) -> Transition | None:
        found = now.version(version.version)
        if found is None or STAGE in found.tags:
            return None
        champion = now.entry.aliases.get(CHAMPION)
        promotes = promote_on_pass and not _was_judged_against_another(found, champion or "")
        if champion is None or champion == version.version or promotes:
            return champion_plan(now, found, actor, Action.REGISTER)
        return challenger_plan(now, found, Action.REGISTER)

    change(registry, version.name, actor, plan)


def _check_baseline(registry: ModelRegistry, name: str, verdict: Verdict) -> None:
    """Refuses a verdict whose rules against the champion were not applied, though there is a champion of this name.

    Somebody else's version became it meanwhile, or the run was judged for a model of another name.

    Raises:
        GateRejected: so it is.
    """
    skipped = _skipped(verdict)
    champion = registry.aliased(name, CHAMPION) if skipped else None
    if champion is not None:
        raise GateRejected(
            f"{name} is not registered: {', '.join(skipped[:_MOST_RULES])} found no champion to compare with, "
            f"but version {champion.version} of {name} is one",
            "judge it again: nbmlops gate RUN, or %mlops gate in a saved notebook",
        )


def _skipped(verdict: Verdict) -> list[str]:
    """Returns the rules that found no champion."""
    return [result.rule for result in verdict.results if result.outcome is Outcome.NOT_APPLICABLE]


def _was_judged_against_another(version: ModelVersion, champion: str) -> bool:
    """Returns whether the version's verdict compared with a champion that is not this version any more."""
    judged = version.tags.get(VERDICT_BASELINE, "")
    start = f"{version.name} version "
    return judged.startswith(start) and judged != f"{start}{champion}"


def _why(verdict: Verdict) -> str:
    if verdict.refusal:
        return verdict.refusal
    failures = [f"{result.rule} ({result.reason})" for result in verdict.failures]
    more = f" and {len(failures) - _MOST_RULES} more" if len(failures) > _MOST_RULES else ""
    return f"the gate rejected the run by {', '.join(failures[:_MOST_RULES])}{more}"


def _same_model(registry: ModelRegistry, candidate: Candidate) -> ModelVersion | None:
    for version in registry.versions(candidate.model_name):
        same_run = version.tags.get(RUN_ID, version.run_id) == candidate.run_id
        if same_run and version.tags.get(MODEL_DIGEST) == candidate.model_digest:
            return version
    return None


def _current(registry: ModelRegistry, version: ModelVersion) -> ModelVersion:
    return next((one for one in registry.versions(version.name) if one.version == version.version), version)
