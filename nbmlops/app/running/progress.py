"""What a run tells while it works: the runner's events, the closing stages, which are no steps, points of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.runtime.schedule.events import Event

Stage = Literal["track", "gate", "register"]
STAGES: Mapping[Stage, str] = {
    "track": "waiting for the tracking store",
    "gate": "judging",
    "register": "registering the model",
}
"""What each closing stage is at, for people."""


class StageStarted(Struct, frozen=True):
    """A closing stage begins: waiting for the tracking store, judging, registering."""

    stage: Stage


class PointStarted(Struct, frozen=True):
    """A sweep goes on with its next point: its place among so many, and the parameters that vary."""

    number: int
    total: int
    parameters: Mapping[str, Json]


class PointFinished(Struct, frozen=True):
    """A point of a sweep is done; `value` is that of the metric, None when it has none."""

    number: int
    total: int
    metric: str
    value: float | None
    failed: bool


Progress = Event | StageStarted | PointStarted | PointFinished


def last_time(seconds: float | None) -> str:
    """Returns what is said of how long a step took last time: nothing below a second."""
    if seconds is None or seconds < 1:
        return ""
    return f", last time {seconds:.0f} s" if seconds < 120 else f", last time {seconds / 60:.0f} min"
