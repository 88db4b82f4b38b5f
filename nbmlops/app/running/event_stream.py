"""The live event stream of a run: every event as one line of JSON, the one interface of all front ends.

The first line is `run.begun`, the last one `run.ended` with the run document, whatever happens in between. The shape is
public: docs/reference/events.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TextIO

from nbmlops.app.running.progress import PointFinished, PointStarted, Progress, StageStarted
from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.run_codec import finite, run_to_json
from nbmlops.pipeline.run_record import RunRecord, StepRecord
from nbmlops.runtime.redact import shown_text
from nbmlops.runtime.schedule.events import (
    FormerRunKilled,
    InputsChanged,
    NotCacheable,
    RunWaiting,
    SharingFailed,
    StartedCold,
    StepCached,
    StepDoneEarly,
    StepDoneElsewhere,
    StepFinished,
    StepRepeated,
    StepRetried,
    StepsJoined,
    StepSkipped,
    StepsSentElsewhere,
    StepStarted,
    StepsWaitElsewhere,
    StepWarned,
    ValueDamaged,
)

SCHEMA = "nbmlops/events/1"

NAMES: Mapping[type, str] = {
    RunWaiting: "run.waiting",
    FormerRunKilled: "run.former_killed",
    StepStarted: "step.started",
    StepCached: "step.cached",
    StepFinished: "step.finished",
    StepDoneEarly: "step.done_early",
    StepRetried: "step.retried",
    StepRepeated: "step.repeated",
    StepWarned: "step.warned",
    StepSkipped: "step.skipped",
    InputsChanged: "step.inputs_changed",
    NotCacheable: "step.not_cacheable",
    ValueDamaged: "step.value_damaged",
    StepsJoined: "steps.joined",
    StartedCold: "run.started_cold",
    StepsSentElsewhere: "steps.sent_elsewhere",
    StepsWaitElsewhere: "steps.wait_elsewhere",
    StepDoneElsewhere: "step.done_elsewhere",
    SharingFailed: "run.sharing_failed",
    StageStarted: "stage.started",
    PointStarted: "sweep.point_started",
    PointFinished: "sweep.point_finished",
}


class EventStream:
    """Writes events to a text stream, each at once.

    Args:
        stream: Where to.
        now: The clock.
    """

    def __init__(self, stream: TextIO, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._stream, self._now, self._number = stream, now, 0

    def begin(self, pipeline: str) -> None:
        """Writes the first line."""
        self._write("run.begun", {"schema": SCHEMA, "pipeline": pipeline})

    def tell(self, event: Progress) -> None:
        """Writes an event; kinds that are new here are named by their class."""
        self._write(NAMES.get(type(event), type(event).__name__), event_to_json(event))

    def end(self, record: RunRecord | None, exit_code: int, error: str = "") -> None:
        """Writes the last line: how the run ended, and its document if it came to that."""
        document = None if record is None else run_to_json(record)
        self._write("run.ended", {"exit_code": exit_code, "error": shown_text(error), "run": document})

    def _write(self, name: str, body: Mapping[str, Json]) -> None:
        self._number += 1
        when = self._now().isoformat(timespec="milliseconds")
        line = {"event": name, "number": self._number, "time": when, **body}
        # ASCII: a reader may cut lines wherever it likes, and texts of users may hold half a surrogate pair.
        self._stream.write(json.dumps(line, ensure_ascii=True, allow_nan=False) + "\n")
        self._stream.flush()


def event_to_json(event: Progress) -> dict[str, Json]:
    """Returns the fields of an event as plain data; the record of a step without its log, which `run.json` has."""
    found = {name: _plain(getattr(event, name)) for name in event.__struct_fields__}
    if "number" in found:
        found["position"] = found.pop("number")  # the line has a number of its own
    record = found.pop("record", None)
    return {**(record if isinstance(record, dict) else {}), **found}


def _plain(value: object) -> Json:
    if isinstance(value, StepRecord):
        kept = {"step": value.name, "status": value.status.value, "seconds": value.seconds, "reason": value.reason}
        error = None if value.error is None else finite(value.error)
        told: dict[str, Json] = {"start": value.start, "peak": value.peak, "begun": value.begun, "early": value.early}
        return {**kept, "notebook": value.notebook, "error": error, **told}
    if isinstance(value, Enum):
        return str(value.value)
    return value.as_posix() if isinstance(value, Path) else finite(value)
