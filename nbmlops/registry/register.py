"""Registering: a passing verdict and a candidate become a version, once.

The first passing version of a name becomes champion, later ones challenger, or champion at once where the project says
so. Called by the magic, the command and the pipeline's closing stage.
"""

from __future__ import annotations

from nbmlops.core.errors import GateRejected
from nbmlops.gate.verdict import Verdict
from nbmlops.registry.promote import NOBODY, Promoter, make_champion
from nbmlops.registry.registry import (
    CHALLENGER,
    CHAMPION,
    MODEL_DIGEST,
    STAGE,
    SUPERSEDED,
    Candidate,
    ModelRegistry,
    ModelVersion,
)
from nbmlops.tracking.lineage import RUN_ID

_MOST_RULES = 3


def register(
    verdict: Verdict,
    candidate: Candidate,
    registry: ModelRegistry,
    *,
    promote_on_pass: bool = False,
    promoter: Promoter = NOBODY,
) -> ModelVersion:
    """Returns the version that holds the candidate, new or, for the same run and model, the one that is there.

    Args:
        verdict: The gate's answer on the candidate's metrics.
        candidate: The model with its lineage.
        registry: Where to.
        promote_on_pass: Make it champion even though there is one.
        promoter: Who registers, and when, for the case that the version becomes champion.

    Raises:
        GateRejected: the verdict is not a passing one.
        UsageError: the model is of a kind that cannot be stored safely.
        EnvironmentFault: the registry cannot be used.
    """
    if not verdict.passed:
        raise GateRejected(f"{candidate.model_name} is not registered: {_why(verdict)}", verdict.hint)
    version = _same_model(registry, candidate) or registry.add(candidate, verdict)
    # The stage is written last: a version without one was left unfinished by a process that died.
    if STAGE not in version.tags:
        champion = registry.aliased(version.name, CHAMPION)
        if champion is None or champion.version == version.version or promote_on_pass:
            make_champion(registry, version, champion, promoter)
        else:
            _make_challenger(registry, version)
    return _current(registry, version)


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


def _make_challenger(registry: ModelRegistry, version: ModelVersion) -> None:
    former = registry.aliased(version.name, CHALLENGER)
    registry.set_alias(version.name, CHALLENGER, version.version)
    if former is not None and former.version != version.version:
        registry.set_tags(version.name, former.version, {STAGE: SUPERSEDED})
    registry.set_tags(version.name, version.version, {STAGE: CHALLENGER})


def _current(registry: ModelRegistry, version: ModelVersion) -> ModelVersion:
    return next((one for one in registry.versions(version.name) if one.version == version.version), version)
