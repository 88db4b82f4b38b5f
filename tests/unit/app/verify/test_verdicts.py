"""From evidence to verdicts: what is different, and what the notebook itself does not do twice the same way."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from nbmlops.app.verify.report import ComparedOutputs, ComparedRecord, ComparedStep, ComparedValue, Status
from nbmlops.app.verify.verdicts import Evidence, compared_steps
from nbmlops.data.compare.noise import Noise
from nbmlops.pipeline.ir import Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import MetricValue, StepError, StepLog, StepRecord, StepStatus
from nbmlops.runtime.witness.records import Border, SeenValue
from nbmlops.runtime.witness.verdicts import ValueVerdict
from nbmlops.runtime.witness.witness import Watched

EQUAL, DIFFERENT, MOVING = Status.EQUAL, Status.DIFFERENT, Status.NONDETERMINISTIC


def step(name: str, *cells: int) -> Step:
    return Step(name, name, StepMode.FUNCTION, "", cells, (), (), (), (), (), (), (), "", "")


def pipeline(*steps: Step) -> Pipeline:
    return Pipeline("churn", "", "", "", "", {}, "", (), steps)


def printed(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def watched(values: dict[str, str], metric: float, *lines: str) -> Watched:
    border = Border(
        "one",
        tuple(SeenValue(name, "int", print_) for name, print_ in values.items()),
        log=StepLog(metrics=(MetricValue("auc", metric),)),
    )
    return Watched({"one": border}, {1: [printed("fixed\n")], 2: [printed(line) for line in lines]})


EVIDENCE = Evidence(
    pipeline(step("one", 1, 2)),
    watched({"a": "f0", "b": "f1"}, 0.5, "x 1\n", "y 1\n"),
    (StepRecord("one", StepStatus.EXECUTED, notebook="one.ipynb", log=StepLog(metrics=(MetricValue("auc", 0.75),))),),
    {"one": (ValueVerdict("a", "different", "1 and 2"), ValueVerdict("b", "equal"))},
    {"one": [printed("fixed\nx 1\ny 2\n")]},
    Noise("churn", datetime(2026, 1, 1, tzinfo=UTC)),
)
METRIC = "0.5 in the notebook, 0.75 in the pipeline"
LINE = "printed: 'y 1' in the notebook, 'y 2' in the pipeline"
BLAMED = "two runs of the notebook itself differ; here: "


def verdict(value: Status, outputs: Status, metric: Status) -> ComparedStep:
    def told(status: Status, detail: str) -> tuple[Status, str]:
        return status, BLAMED + detail if status is MOVING else detail

    return ComparedStep(
        "one",
        (1, 2),
        values=(ComparedValue("a", *told(value, "1 and 2")), ComparedValue("b", EQUAL)),
        outputs=(ComparedOutputs(1, EQUAL), ComparedOutputs(2, *told(outputs, LINE))),
        logged=(ComparedRecord("metric", "auc", *told(metric, METRIC)),),
    )


@pytest.mark.parametrize(
    ("second", "expected", "status"),
    [
        (None, verdict(DIFFERENT, DIFFERENT, DIFFERENT), DIFFERENT),
        (EVIDENCE.first, verdict(DIFFERENT, DIFFERENT, DIFFERENT), DIFFERENT),
        (watched({"a": "g0", "b": "f1"}, 0.25, "x 1\n", "y 3\n"), verdict(MOVING, MOVING, MOVING), MOVING),
        (watched({"a": "f0", "b": "g1"}, 0.25, "x 1\n", "y 3\n"), verdict(DIFFERENT, MOVING, MOVING), DIFFERENT),
        # Another line moves than the one that differs.
        (watched({"a": "g0", "b": "f1"}, 0.25, "x 2\n", "y 1\n"), verdict(MOVING, DIFFERENT, MOVING), DIFFERENT),
        (watched({}, 0.25, "x 1\n", "y 3\n"), verdict(MOVING, MOVING, MOVING), MOVING),
    ],
    ids=["once", "twice the same", "all moves", "another value moves", "another line moves", "the value is gone"],
)
def test_only_what_the_notebook_does_not_do_twice_is_its_own(
    second: Watched | None, expected: ComparedStep, status: Status
) -> None:
    (found,) = compared_steps(replace(EVIDENCE, second=second))
    assert found == expected
    assert found.status is status


def test_a_step_that_fails_and_one_that_is_not_reached() -> None:
    evidence = replace(
        EVIDENCE,
        pipeline=pipeline(step("one", 1, 2), step("two", 3)),
        records=(
            StepRecord("one", StepStatus.FAILED, notebook="one.ipynb", error=StepError("ValueError", "no")),
            StepRecord("two", StepStatus.SKIPPED),
        ),
        values={},
        executed={"one": [printed("fixed\nx 1\ny 1\n")], "two": []},
    )
    failed, skipped = compared_steps(evidence)
    assert [failed.error, failed.reached, failed.status] == ["ValueError: no", True, DIFFERENT]
    assert skipped == ComparedStep("two", (3,), reached=False)
    assert skipped.status is DIFFERENT
