"""Which point is the best, and the document of a sweep."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nbmlops.app.sweep.plan import Method, Objective
from nbmlops.app.sweep.record import (
    PointStatus,
    SweepOutcome,
    SweepPoint,
    SweepRecord,
    best_of,
    point_of,
    ranked,
    sweep_to_json,
)
from nbmlops.core.errors import ExitCode
from nbmlops.gate.policy import Direction
from nbmlops.pipeline.run_record import Lineage, RunRecord, RunStatus, StepError, StepRecord, StepStatus

SCHEMA = Path(__file__).parents[4] / "docs" / "reference" / "schemas" / "sweep.json"


def point(value: float | None) -> SweepPoint:
    return SweepPoint({"depth": 3}, PointStatus.SUCCEEDED, value)


def record(*values: float | None, direction: Direction = Direction.HIGHER) -> SweepRecord:
    points = tuple(map(point, values))
    return SweepRecord("p", Method.GRID, Objective("auc", direction), points, best_of(points, direction))


@pytest.mark.parametrize(
    ("values", "direction", "best", "order"),
    [
        ((0.1, 0.5, 0.5, None), Direction.HIGHER, 1, (1, 2, 0, 3)),
        ((None, 0.5, 0.1, 0.1), Direction.LOWER, 2, (2, 3, 1, 0)),
        ((math.inf, 1.0), Direction.LOWER, 1, (1, 0)),
        ((None,), Direction.LOWER, None, (0,)),
        ((), Direction.HIGHER, None, ()),
    ],
)
def test_the_best_is_the_first_of_the_best_values(
    values: tuple[float | None, ...], direction: Direction, best: int | None, order: tuple[int, ...]
) -> None:
    found = record(*values, direction=direction)
    assert (found.best, ranked(found)) == (best, order)


def run(status: RunStatus, **fields: Any) -> RunRecord:
    steps = (
        StepRecord("load", StepStatus.CACHED),
        StepRecord("train", StepStatus.EXECUTED, seconds=1.5),
        StepRecord("score", StepStatus.EXECUTED, seconds=0.25),
    )
    base = {
        "run_id": "r",
        "pipeline": "p",
        "steps": steps,
        "parameters": {},
        "lineage": Lineage(),
        "folder": "runs/p/1",
    }
    return RunRecord(status=status, **(base | {"metrics": {"auc": 0.8, "n": 3.0}} | fields))


def test_a_point_is_what_its_run_tells() -> None:
    parameters = {"depth": 3}
    expected = SweepPoint(
        parameters, PointStatus.SUCCEEDED, 0.8, {"auc": 0.8, "n": 3.0}, 1.75, 1, run_id="r", folder="runs/p/1"
    )
    assert point_of(parameters, "auc", run(RunStatus.SUCCEEDED)) == expected
    # Judged by an earlier run, which tells nothing of its place among the points.
    assert point_of(parameters, "auc", run(RunStatus.GATE_REJECTED)) == expected
    assert point_of(parameters, "f1", run(RunStatus.SUCCEEDED)).value is None
    assert point_of(parameters, "auc", run(RunStatus.SUCCEEDED, metrics={"auc": math.nan})).value is None


def test_a_failed_point_has_an_error_and_no_value() -> None:
    broken = StepRecord("score", StepStatus.FAILED, error=StepError("ValueError", "no rows\nat all"))
    found = point_of({"depth": 3}, "auc", run(RunStatus.FAILED, steps=(broken,)))
    assert (found.status, found.value, found.error) == (PointStatus.FAILED, None, "ValueError: no rows")


def test_the_document_is_what_the_schema_says() -> None:
    document = sweep_to_json(record(0.1, math.inf, None))
    jsonschema.validate(json.loads(json.dumps(document)), json.loads(SCHEMA.read_text()))
    assert [row["value"] for row in document["points"]] == [0.1, "Infinity", None]
    assert (document["best"], document["run"]) == (1, None)


def test_a_sweep_without_a_judged_point_is_no_success() -> None:
    assert SweepOutcome(record(0.1)).exit_code is ExitCode.STEP_FAILED
