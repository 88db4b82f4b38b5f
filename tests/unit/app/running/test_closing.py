"""Judging and registering: waivers are kept with run and version, and a verdict is about one run."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from nbmlops.app.judging.evidence import Judged
from nbmlops.app.running.closing import Registration, actor, judge, register_model
from nbmlops.core.errors import GateRejected, UsageError
from nbmlops.gate.policy import Policy, Rule
from nbmlops.gate.verdict import Verdict, Waiver
from nbmlops.pipeline.run_record import Lineage
from nbmlops.tracking.tracker import RunStart
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker

POLICY = Policy((Rule("floor", "r2", min=0.7),))
X = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
MODEL = LinearRegression().fit(X, [1.0, 2.0, 3.0])


@pytest.fixture
def stores() -> Any:
    return SimpleNamespace(tracker=InMemoryTracker(), registry=InMemoryRegistry())


def judged(stores: Any, r2: float, *waivers: Waiver) -> tuple[str, Verdict]:
    run_id = stores.tracker.start_run(RunStart("x")).run_id
    return run_id, judge(stores, Judged(run_id, "m", None), {"r2": r2}, POLICY, waivers)


def registration(run_id: str) -> Registration:
    return Registration("m", MODEL, X, Lineage(run_id=run_id), {"r2": 0.8})


def test_a_waiver_is_kept_with_the_run_and_the_version(stores: Any) -> None:
    run_id, verdict = judged(stores, 0.5, Waiver("floor", "a demo", "Ada"))
    version = register_model(stores, verdict, registration(run_id), promote_on_pass=False)
    kept = [{"by": "Ada", "reason": "a demo", "rule": "floor"}]
    assert json.loads(stores.tracker.run_facts(run_id).tags["nbmlops.waived"]) == kept
    assert json.loads(version.tags["nbmlops.waived"]) == kept
    assert stores.tracker.documents[run_id, "verdict.json"]["results"][0]["waiver"] == {"reason": "a demo", "by": "Ada"}


def test_secrets_in_reasons_are_not_kept(stores: Any) -> None:
    token = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
    _, verdict = judged(stores, 0.5, Waiver("floor", f"see {token}", "Ada"))
    assert [one.reason for one in verdict.waivers] == ["see [redacted]"]
    assert actor(f"with {token}").why == "with [redacted]"
    assert actor("better in winter").why == "better in winter"


def test_reasons_are_kept_in_characters_that_every_store_takes(stores: Any) -> None:
    assert actor("bad \udcff bytes\x00,\nbätter \x1b[31m").why == "bad   bytes , bätter  [31m"
    _, verdict = judged(stores, 0.5, Waiver("floor", "bad \udcff\n", "A\x00da"))
    assert verdict.waivers == (Waiver("floor", "bad", "A da"),)
    with pytest.raises(UsageError, match="needs a reason and a name"):
        judged(stores, 0.5, Waiver("floor", "\udcff", "Ada"))


def test_a_rule_beside_a_named_version_is_judged_by_it(stores: Any) -> None:
    run_id, verdict = judged(stores, 0.8)
    register_model(stores, verdict, registration(run_id), promote_on_pass=False)
    other = stores.tracker.start_run(RunStart("x")).run_id
    rules = Policy((Rule("plain", "r2", baseline="version 1", max_drop=0.05), Rule("same", "r2", baseline="@champion")))
    found = judge(stores, Judged(other, "m", None), {"r2": 0.76}, rules)
    assert [(one.outcome.value, one.baseline) for one in found.results] == [("pass", 0.8), ("fail", 0.8)]


def test_the_verdict_of_another_run_registers_nothing(stores: Any) -> None:
    _, verdict = judged(stores, 0.8)
    other, _ = judged(stores, 0.5)
    with pytest.raises(GateRejected, match="the last verdict on it is another one"):
        register_model(stores, verdict, registration(other), promote_on_pass=False)
    never = stores.tracker.start_run(RunStart("x")).run_id
    with pytest.raises(GateRejected, match="it was never judged"):
        register_model(stores, verdict, registration(never), promote_on_pass=False)
    assert stores.registry.models == {}
