"""What is done for a killed run before the next one begins, with stores in memory."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from nbmlops.app.running.killed import settle
from nbmlops.app.running.results import ResultsIndex
from nbmlops.core.digest import Digest
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import Lineage, ModelVersionRef, RunPhase, RunRecord, RunStatus
from nbmlops.registry.registry import Candidate
from nbmlops.runtime.schedule.results import KilledRun
from nbmlops.tracking.tracker import RunStart, RunState
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker

PASS = Verdict(True, (RuleResult("floor", "auc", 0.8, ">= 0.7", None, Outcome.PASS),))
RESULTS = Digest("d" * 64)


@pytest.fixture
def stores() -> Any:
    tracker = InMemoryTracker()
    tracker.start_run(RunStart("tiny"))
    return SimpleNamespace(tracker=tracker, registry=InMemoryRegistry())


def opened(root: Path, uri: str = "memory:") -> Any:
    config = SimpleNamespace(experiment="tiny", promote_on_pass=False)
    pipeline = SimpleNamespace(name="tiny", register=object())
    return SimpleNamespace(root=root, uri=uri, config=config, pipeline=pipeline, model_name="tiny")


def killed(phase: RunPhase, run_id: str, results: str = RESULTS) -> KilledRun:
    lineage = Lineage(run_id=run_id)
    record = RunRecord(
        RunStatus.KILLED, run_id, "tiny", (), {}, {}, lineage, folder="runs/tiny/one", killed_while=phase
    )
    return KilledRun(record, "one", results, "policy")


def test_a_version_without_a_stage_gets_one_and_the_results_are_known(tmp_path: Path, stores: Any) -> None:
    (run_id,) = stores.tracker.runs
    candidate = Candidate("tiny", run_id, object(), "digest", None, Lineage(run_id=run_id))
    stores.registry.add(candidate, PASS)
    found = killed(RunPhase.REGISTERING, run_id)
    record = replace(found.record, model_version=ModelVersionRef("tiny", "1", ("champion",)))
    assert settle(opened(tmp_path), stores, tmp_path, found) == record
    assert stores.tracker.runs[run_id].state is RunState.KILLED
    assert stores.tracker.documents[run_id, "run.json"]["killed_while"] == "registering"
    known = ResultsIndex(tmp_path, "tiny").find(RESULTS)
    assert known is not None
    assert (known.record, known.policy) == (record, "policy")


def test_what_it_had_not_come_to_is_given_up(tmp_path: Path, stores: Any) -> None:
    (run_id,) = stores.tracker.runs
    assert settle(opened(tmp_path), stores, tmp_path, killed(RunPhase.JUDGING, run_id)) is not None
    assert stores.registry.calls == []
    assert settle(opened(tmp_path), stores, tmp_path, killed(RunPhase.REGISTERING, run_id)) is not None
    assert stores.registry.calls == [f"give up {run_id}"]


def test_a_run_that_was_remembered_as_ended_is_left_alone(tmp_path: Path, stores: Any) -> None:
    (run_id,) = stores.tracker.runs
    found = killed(RunPhase.WRITING, run_id)
    ended = replace(found.record, status=RunStatus.SUCCEEDED, killed_while=None)
    ResultsIndex(tmp_path, "tiny").remember(RESULTS, ended, "policy")
    assert settle(opened(tmp_path), stores, tmp_path, found) is None
    assert stores.tracker.runs[run_id].state is RunState.RUNNING


def test_a_tracked_run_or_a_store_that_is_not_there_is_no_hindrance(tmp_path: Path, stores: Any) -> None:
    gone = killed(RunPhase.REGISTERING, "f" * 32)
    assert settle(opened(tmp_path), stores, tmp_path, gone) == gone.record
    none = opened(tmp_path, f"sqlite:///{tmp_path}/mlflow.db")
    assert settle(none, stores, tmp_path, gone) == gone.record
    unknown = killed(RunPhase.STEPS, "", results="")
    assert settle(opened(tmp_path), stores, tmp_path, unknown) == unknown.record
    assert ResultsIndex(tmp_path, "tiny").find(RESULTS) is None
