"""What a sweep did, as records and as the document `sweep.json`. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.app.running.outcome import RunOutcome
from nbmlops.app.sweep.plan import Method, Objective
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import ExitCode
from nbmlops.gate.policy import Direction
from nbmlops.pipeline.run_codec import finite, run_to_json
from nbmlops.pipeline.run_record import RunRecord, RunStatus

SCHEMA = "nbmlops/sweep/1"


class PointStatus(StrEnum):
    """How a point ended: its steps succeeded, one failed, the user stopped it."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class SweepPoint(Struct, frozen=True):
    """One point.

    Attributes:
        parameters: Those that vary, in the order of the sweep.
        status: How it ended.
        value: Of the objective; None when it was not logged or is no number.
        metrics: All that counted.
        seconds: Wall time of the steps that were executed.
        cached: Number of steps that were not executed again.
        run_id: The tracked run that holds its results, "" when there is none.
        folder: The run's folder, as the user names it.
        error: Why it failed, in one line.
    """

    parameters: Mapping[str, Json]
    status: PointStatus
    value: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    cached: int = 0
    run_id: str = ""
    folder: str = ""
    error: str = ""


class SweepRecord(Struct, frozen=True):
    """A sweep.

    Attributes:
        pipeline: The pipeline.
        method: How points were chosen.
        objective: What is best.
        points: In the order in which they were tried.
        best: Position of the best one, None when no point has a value.
        run_id: The tracked run whose children the points are; "" when everything was known already.
        folder: Where `sweep.json` and `sweep.html` are, as the user names it; "" when nothing was written.
    """

    pipeline: str
    method: Method
    objective: Objective
    points: tuple[SweepPoint, ...] = ()
    best: int | None = None
    run_id: str = ""
    folder: str = ""


class SweepOutcome(Struct, frozen=True):
    """How a sweep ended.

    Attributes:
        record: What it did.
        winner: The run of the best point, judged and registered; None if that was not reached.
        notes: What the user should know or do.
        stopped: The outcome of the run that the user stopped, None otherwise.
    """

    record: SweepRecord
    winner: RunOutcome | None = None
    notes: tuple[str, ...] = ()
    stopped: RunOutcome | None = None

    @property
    def status(self) -> RunStatus:
        """How the run of the best point ended; failed if there is none that could be judged."""
        ended = self.stopped or self.winner
        return ended.record.status if ended is not None else RunStatus.FAILED

    @property
    def exit_code(self) -> ExitCode:
        """What the process tells its caller."""
        if self.stopped is not None:
            return self.stopped.exit_code
        return self.winner.exit_code if self.winner is not None else ExitCode.STEP_FAILED


def varied(record: SweepRecord) -> tuple[str, ...]:
    """Returns the names of the parameters that vary."""
    return tuple(dict.fromkeys(name for point in record.points for name in point.parameters))


def best_of(points: Sequence[SweepPoint], direction: Direction) -> int | None:
    """Returns the position of the best value, of equal ones the first; None when no point has any."""
    found = [(point.value, -position) for position, point in enumerate(points) if point.value is not None]
    if not found:
        return None
    sign = 1 if direction is Direction.HIGHER else -1
    return -max(((sign * value, position) for value, position in found))[1]


def ranked(record: SweepRecord) -> tuple[int, ...]:
    """Returns the positions of the points, the best first, those without a value last, in the order of trying."""
    sign = -1 if record.objective.direction is Direction.HIGHER else 1

    def key(position: int) -> tuple[bool, float, int]:
        value = record.points[position].value
        return (value is None, 0.0 if value is None else sign * value, position)

    return tuple(sorted(range(len(record.points)), key=key))


def point_of(parameters: Mapping[str, Json], metric: str, record: RunRecord) -> SweepPoint:
    """Returns a point as its run tells it."""
    statuses = {"failed": PointStatus.FAILED, "interrupted": PointStatus.INTERRUPTED}
    value = record.metrics.get(metric)
    errors = [step.error for step in record.steps if step.error is not None]
    return SweepPoint(
        parameters=parameters,
        status=statuses.get(record.status.value, PointStatus.SUCCEEDED),
        value=value if value is not None and not math.isnan(value) and not errors else None,
        metrics=record.metrics,
        seconds=round(sum(step.seconds for step in record.steps), 3),
        cached=sum(step.status.value == "cached" for step in record.steps),
        run_id=record.run_id,
        folder=record.folder,
        error=f"{errors[0].name}: {errors[0].message}".partition("\n")[0] if errors else "",
    )


def sweep_to_json(record: SweepRecord, winner: RunOutcome | None = None) -> dict[str, Json]:
    """Returns the document of a sweep."""
    return {
        "schema": SCHEMA,
        "pipeline": record.pipeline,
        "method": record.method.value,
        "metric": record.objective.metric,
        "direction": record.objective.direction.value,
        "run_id": record.run_id,
        "folder": record.folder,
        "best": record.best,
        "points": [
            {
                "parameters": finite(dict(point.parameters)),
                "status": point.status.value,
                "value": finite(point.value),
                "metrics": finite(dict(point.metrics)),
                "seconds": point.seconds,
                "cached": point.cached,
                "run_id": point.run_id,
                "folder": point.folder,
                "error": point.error,
            }
            for point in record.points
        ],
        "run": run_to_json(winner.record) if winner is not None else None,
    }
