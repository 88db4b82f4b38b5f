"""The closing stages: judging a run's metrics, and registering its model. The same for every door."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.app.judging.evidence import Judged, gather
from nbmlops.app.project import VERDICT_FILE
from nbmlops.app.wiring import Stores
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import GateRejected
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.evidence import NO_EVIDENCE
from nbmlops.gate.policy import Policy
from nbmlops.gate.verdict import Verdict, Waiver, one_line, verdict_digest, verdict_to_json, waive, waived_text
from nbmlops.pipeline.run_record import Lineage
from nbmlops.registry.baseline import read_baseline
from nbmlops.registry.register import register
from nbmlops.registry.registry import Candidate, ModelVersion
from nbmlops.registry.transitions import Actor
from nbmlops.tracking.lineage import VERDICT_DIGEST, verdict_tags
from nbmlops.tracking.redaction import process_redactor

if TYPE_CHECKING:
    from pandas import DataFrame


class Registration(Struct, frozen=True):
    """What becomes a version: the model, the frame of features it was trained on, its name, and where it comes from."""

    model_name: str
    model: object
    features: object
    lineage: Lineage
    metrics: Mapping[str, float]


def judge(
    stores: Stores, judged: Judged, metrics: Mapping[str, float], policy: Policy, waivers: Sequence[Waiver] = ()
) -> Verdict:
    """Returns the verdict on a run, against the champion of now, after storing it with the run.

    Args:
        stores: Where runs and models are.
        judged: The run that logged the metrics, and whose champion is the baseline.
        metrics: The last value of each metric.
        policy: The rules.
        waivers: Rules that somebody lets it break.

    Raises:
        UsageError: there is no such run, or a waiver is about no rule.
        EnvironmentFault: the tracking store cannot be used.
    """
    baseline = read_baseline(stores.registry, stores.tracker, judged.model_name)
    waivers = [replace(one, reason=_kept(one.reason), by=_kept(one.by)) for one in waivers]
    evidence = gather(stores, judged, baseline, policy) if policy != policy.of_logged_metrics else NO_EVIDENCE
    verdict = waive(evaluate(metrics, baseline, policy, evidence), waivers)
    stores.tracker.log_document(judged.run_id, VERDICT_FILE, verdict_to_json(verdict))
    tags = verdict_tags(
        passed=verdict.passed,
        digest=verdict_digest(verdict),
        summary=verdict.summary(),
        waived=waived_text(verdict),
    )
    stores.tracker.set_tags(judged.run_id, tags)
    return verdict


def register_model(
    stores: Stores, verdict: Verdict, registration: Registration, *, promote_on_pass: bool
) -> ModelVersion:
    """Returns the version that holds the model, new or the one that the same run registered before.

    Raises:
        GateRejected: the verdict is not a passing one, or not one on this run.
        UsageError: the model is of a kind that cannot be stored safely, or cannot be fingerprinted.
        EnvironmentFault: the registry cannot be used.
    """
    _check_verdict(stores, registration.lineage.run_id, verdict)
    # Only registering describes data: a run that executes nothing should not pay for it.
    from nbmlops.data.fingerprints.fingerprint import fingerprint  # noqa: PLC0415  # as said above
    from nbmlops.data.profiles.profile import profile  # noqa: PLC0415  # as said above

    features = _frame(registration.features)
    candidate = Candidate(
        model_name=registration.model_name,
        run_id=registration.lineage.run_id,
        model=registration.model,
        model_digest=fingerprint(registration.model, "model"),
        features=registration.features,
        lineage=registration.lineage,
        metrics=registration.metrics,
        schema=_schema(features) if features is not None else {},
        profile=profile(features) if features is not None else {},
    )
    return register(verdict, candidate, stores.registry, promote_on_pass=promote_on_pass, actor=actor())


def _check_verdict(stores: Stores, run_id: str, verdict: Verdict) -> None:
    """Refuses a passing verdict that is not the last one on this very run.

    Raises:
        GateRejected: it is another run's, or an older one.
        EnvironmentFault: the tracking store cannot be used.
    """
    known = stores.tracker.run_facts(run_id).tags.get(VERDICT_DIGEST, "")
    if verdict.passed and known != verdict_digest(verdict):
        why = "the last verdict on it is another one" if known else "it was never judged"
        raise GateRejected(f"the verdict is not the one on run {run_id}: {why}", f"judge it: nbmlops gate {run_id}")


def actor(why: str = "") -> Actor:
    """Returns who acts now, and when, for the audit log."""
    try:
        who = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user number without a name, as in containers
        who = ""
    return Actor(one_line(who), datetime.now(UTC).isoformat(timespec="seconds"), _kept(why))


def _kept(words: str) -> str:
    """Returns what somebody typed as it is kept: without secrets, on one line, of characters that all stores take.

    A text that a store refuses would be noticed only when the alias has moved, and at every try to complete that again.
    """
    return process_redactor().text(one_line(words).strip(), "a reason")


def _frame(value: object) -> DataFrame | None:
    """Returns the value if it is a pandas frame; arrays have no columns to describe."""
    if not any(base.__module__.partition(".")[0] == "pandas" for base in type(value).__mro__):
        return None
    import pandas as pd

    return value if isinstance(value, pd.DataFrame) else None


def _schema(features: DataFrame) -> dict[str, Json]:
    """Returns the schema as the document that its file would hold."""
    import yaml  # noqa: PLC0415  # as above: only registering needs these

    from nbmlops.data.schema.codec import schema_to_yaml  # noqa: PLC0415  # as said above
    from nbmlops.data.schema.schema import infer_schema  # noqa: PLC0415  # as said above

    document: Any = yaml.safe_load(schema_to_yaml(infer_schema(features)))
    assert isinstance(document, dict)
    return document
