from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import get_args

from nbmlops.app.running.event_stream import NAMES, EventStream
from nbmlops.app.running.progress import Progress, StageStarted
from nbmlops.pipeline.run_codec import run_to_json
from nbmlops.pipeline.run_record import (
    JoinedSteps,
    Lineage,
    LiveValue,
    RunRecord,
    RunStatus,
    StepError,
    StepRecord,
    StepStatus,
)
from nbmlops.runtime.schedule.events import StepDoneEarly, StepFinished, StepRetried, StepsJoined, StepStarted

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
TIME = "2026-01-02T03:04:05.678+00:00"


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_kind_of_event_has_a_name() -> None:
    assert set(get_args(Progress)) == set(NAMES)


def test_a_run_is_told_line_by_line() -> None:
    error = StepError("OSError", "busy \ud800", hint="try again")
    record = StepRecord("a", StepStatus.FAILED, 1.5, "runs/01_a.ipynb", error, reason="new")
    run = RunRecord(RunStatus.FAILED, "", "tea", (record,), {}, {"auc": float("nan")}, Lineage())
    text = io.StringIO()
    stream = EventStream(text, lambda: NOW)
    stream.begin("tea")
    stream.tell(StepStarted("a", 1, 2, "new", 2.5))
    stream.tell(StepDoneEarly("b", 2, 2, 0.5, succeeded=True))
    stream.tell(StepRetried("a", 1, 2, 5.0, error))
    stream.tell(StepFinished(record, 1, 2))
    stream.tell(StepsJoined(JoinedSteps(("a", "b"), (LiveValue("g", "generator", "no"),))))
    stream.tell(StageStarted("gate"))
    stream.end(run, 1)
    told = {"name": "OSError", "message": "busy \ud800", "cell": 0, "line": 0, "traceback": "", "hint": "try again"}
    bodies: list[dict[str, object]] = [
        {"event": "run.begun", "schema": "nbmlops/events/1", "pipeline": "tea"},
        {"event": "step.started", "step": "a", "position": 1, "total": 2, "reason": "new", "last": 2.5},
        {"event": "step.done_early", "step": "b", "position": 2, "total": 2, "seconds": 0.5, "succeeded": True},
        {"event": "step.retried", "step": "a", "tries": 1, "most": 2, "wait": 5.0, "error": told},
        {
            "event": "step.finished", "step": "a", "status": "failed", "seconds": 1.5, "reason": "new",
            "notebook": "runs/01_a.ipynb", "error": told, "start": "", "peak": 0, "begun": "", "early": False,
            "position": 1, "total": 2,
        },
        {
            "event": "steps.joined",
            "joined": {"steps": ["a", "b"], "values": [{"name": "g", "type": "generator", "reason": "no"}]},
        },
        {"event": "stage.started", "stage": "gate"},
        {"event": "run.ended", "exit_code": 1, "error": "", "run": json.loads(json.dumps(run_to_json(run)))},
    ]  # fmt: skip
    assert lines(text) == [{**body, "number": number, "time": TIME} for number, body in enumerate(bodies, start=1)]
    assert text.getvalue().isascii()
