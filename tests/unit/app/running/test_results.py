from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from nbmlops.app.running.results import KnownResults, ResultsIndex, policy_digest, results_digest
from nbmlops.gate.policy import Policy, Rule
from nbmlops.pipeline.ir import GateStage, Input, Pipeline, RegisterStage
from nbmlops.pipeline.run_record import Lineage, ModelVersionRef, RunRecord, RunStatus, StepRecord, StepStatus

PIPELINE = Pipeline("flights", "", "../n.ipynb", "..", "d", {}, "v", (), (), gate=GateStage())
STEPS = (StepRecord("load", StepStatus.EXECUTED, key="k1"), StepRecord("train", StepStatus.CACHED, key="k2"))
RECORD = RunRecord(
    RunStatus.SUCCEEDED,
    "r1",
    "flights",
    STEPS,
    {"depth": 3},
    {"auc": 0.7},
    Lineage("r1", "abc", {"x": "1"}, "n", "p"),
    {"passed": True},
    ModelVersionRef("flights", "1", ("champion",)),
    "runs/flights/a",
)
POLICY = Policy((Rule("floor", "auc", min=0.5),))


def test_a_run_is_found_by_what_was_executed_not_by_how(tmp_path: Path) -> None:
    index = ResultsIndex(tmp_path, "flights")
    digest = results_digest(PIPELINE, STEPS)
    assert index.find(digest) is None
    index.remember(digest, RECORD, policy_digest(POLICY))
    cached = tuple(replace(step, status=StepStatus.CACHED, seconds=0.0) for step in STEPS)
    assert index.find(results_digest(PIPELINE, cached)) == KnownResults(RECORD, policy_digest(POLICY), digest)


def test_the_latest_run_and_a_run_by_its_id_are_found(tmp_path: Path) -> None:
    index = ResultsIndex(tmp_path, "flights")
    assert (index.latest(), index.of_run("r1")) == (None, None)
    digests = [results_digest(PIPELINE, STEPS), results_digest(PIPELINE, STEPS[:1])]
    for number, digest in enumerate(digests):
        index.remember(digest, replace(RECORD, run_id=f"r{number}"), "p")
        os.utime(next(tmp_path.rglob(f"{digest}.json")), ns=(0, number))
    assert index.latest() == KnownResults(replace(RECORD, run_id="r1"), "p", digests[1])
    assert index.of_run("r0") == KnownResults(replace(RECORD, run_id="r0"), "p", digests[0])


def test_other_keys_and_other_closing_stages_are_other_results() -> None:
    register = RegisterStage(Input("model", "train"), Input("X", "load"), "flights")
    digests = {
        results_digest(PIPELINE, STEPS),
        results_digest(PIPELINE, STEPS[:1]),
        results_digest(replace(PIPELINE, gate=None), STEPS),
        results_digest(replace(PIPELINE, register=register), STEPS),
        results_digest(replace(PIPELINE, register=replace(register, model_name="other")), STEPS),
    }
    assert len(digests) == 5


def test_a_damaged_entry_is_as_good_as_none(tmp_path: Path) -> None:
    index = ResultsIndex(tmp_path, "flights")
    digest = results_digest(PIPELINE, STEPS)
    index.remember(digest, RECORD, policy_digest(POLICY))
    (path,) = tmp_path.rglob("*.json")
    path.write_text("{}")
    assert index.find(digest) is None
