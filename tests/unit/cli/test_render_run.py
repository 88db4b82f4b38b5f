from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from nbmlops.app.running.outcome import RunOutcome
from nbmlops.cli.blocks import plain
from nbmlops.cli.render_run import run_blocks
from nbmlops.core.errors import ExitCode
from nbmlops.gate.baseline import Champion, NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.policy import Policy, Rule
from nbmlops.pipeline.run_record import (
    Lineage,
    ModelVersionRef,
    RunRecord,
    RunStatus,
    StepError,
    StepRecord,
    StepStatus,
)

POLICY = Policy(
    (
        Rule("auc floor", "auc", min=0.7, reason="the desk ignores it below"),
        Rule("no regression", "auc", baseline="champion", max_drop=0.01),
    )
)
LINEAGE = Lineage("4f" * 16, "0123456789ab-dirty", {"flights": "ab" * 16}, "cd" * 32, "ef" * 32)
RECORD = RunRecord(
    status=RunStatus.SUCCEEDED,
    run_id="4f" * 16,
    pipeline="flights",
    steps=(
        StepRecord("load", StepStatus.EXECUTED, 12.34, "runs/flights/r1/01_load.ipynb", reason="new"),
        StepRecord("train", StepStatus.CACHED, reason="unchanged"),
    ),
    parameters={"depth": 8, "columns": ["a" * 80]},
    metrics={"auc": 0.7312345, "loss": float("nan")},
    lineage=LINEAGE,
    model_version=ModelVersionRef("flights", "3", ("challenger",)),
    folder="runs/flights/r1",
)
PASSED = RunOutcome(
    RECORD,
    evaluate({"auc": 0.7312345}, NoChampion(), POLICY),
    notes=("the working tree has changes",),
    next_commands=("nbmlops promote flights@challenger",),
)
FAILED_STEP = StepRecord(
    "train",
    StepStatus.FAILED,
    1.0,
    "runs/flights/r1/02_train.ipynb",
    StepError("ValueError", "bad\x1b[31m depth", 7, 3, "Traceback\n  flights.ipynb cell 7 line 3", "use a number"),
    reason="parameters changed",
)
CASES = {
    "passed": PASSED,
    "rejected": RunOutcome(
        replace(RECORD, status=RunStatus.GATE_REJECTED, metrics={"auc": 0.6}, model_version=None),
        evaluate({"auc": 0.6}, Champion("flights", "2", {"auc": 0.74}), POLICY),
    ),
    "no_rules": RunOutcome(
        replace(RECORD, status=RunStatus.GATE_REJECTED, model_version=None),
        evaluate({"auc": 0.6}, NoChampion(), Policy()),
    ),
    "failed": RunOutcome(
        replace(
            RECORD,
            status=RunStatus.FAILED,
            steps=(RECORD.steps[0], FAILED_STEP, StepRecord("report", StepStatus.SKIPPED)),
            metrics={},
            model_version=None,
        )
    ),
    "reused": RunOutcome(replace(RECORD, steps=(RECORD.steps[1],)), reused="4f" * 16),
    "interrupted": RunOutcome(
        replace(RECORD, status=RunStatus.INTERRUPTED, steps=(), model_version=None, metrics={}), terminated=True
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_report_of_a_run(golden: Callable[[str, str], None], name: str) -> None:
    golden(f"cli/run_{name}.txt", plain(tuple(run_blocks(CASES[name]))))


def test_every_status_has_its_exit_code() -> None:
    assert {name: case.exit_code for name, case in CASES.items()} == {
        "passed": ExitCode.SUCCESS,
        "rejected": ExitCode.GATE_REJECTED,
        "no_rules": ExitCode.GATE_REJECTED,
        "failed": ExitCode.STEP_FAILED,
        "reused": ExitCode.SUCCESS,
        "interrupted": ExitCode.TERMINATED,
    }
