"""A run as its event stream tells it: lines in, one card out. Pure; what front ends show that are not the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from nbmlops.app.running.progress import STAGES, last_time
from nbmlops.app.show.cards import Card, Table
from nbmlops.app.show.views import verdict_table
from nbmlops.core.errors import (
    Conflict,
    EnvironmentFault,
    ExitCode,
    GateRejected,
    Interrupted,
    NbmlopsError,
    StepFailed,
    UsageError,
)
from nbmlops.gate.numerals import show_number
from nbmlops.gate.verdict import verdict_from_json
from nbmlops.pipeline.run_codec import run_from_json
from nbmlops.pipeline.run_record import RunRecord, RunStatus

_STATES = {
    RunStatus.SUCCEEDED: "FINISHED",
    RunStatus.FAILED: "FAILED",
    RunStatus.GATE_REJECTED: "REJECTED",
    RunStatus.INTERRUPTED: "INTERRUPTED",
}
_ERRORS: Mapping[int, type[NbmlopsError]] = {
    ExitCode.STEP_FAILED: StepFailed,
    ExitCode.USAGE: UsageError,
    ExitCode.GATE_REJECTED: GateRejected,
    ExitCode.CONFLICT: Conflict,
    ExitCode.INTERRUPTED: Interrupted,
}
_IN_THE_WAY = {"run.waiting", "run.former_killed", "run.started_cold", "run.sharing_failed", "steps.wait_elsewhere"}


class _Row(Struct):
    state: str
    seconds: float = 0.0
    remark: str = ""


class RunWatch:
    """What the events of one run have told so far.

    Attributes:
        pipeline: The pipeline, as it was named.
        record: The run document once the run is over, None before or if it came to none.
        exit_code: How the run ended, None before.
        error: What kept it from running, or "".
    """

    def __init__(self) -> None:
        self.pipeline = ""
        self.record: RunRecord | None = None
        self.exit_code: int | None = None
        self.error = ""
        self._rows: dict[str, _Row] = {}
        self._total = 0
        self._stage = ""
        self._notes: list[str] = []

    def take(self, line: str) -> None:
        """Takes one line of the stream; kinds of events that are not known change nothing.

        Raises:
            ValueError: it is no line of JSON.
        """
        event: dict[str, Any] = json.loads(line)
        kind = str(event["event"])
        if isinstance(total := event.get("total"), int) and "step" in event:
            self._total = total
        match kind.split("."):
            case ["run", "begun"]:
                self.pipeline = str(event["pipeline"])
            case ["run", "ended"]:
                self._end(event)
            case ["stage", "started"]:
                self._stage = STAGES.get(event["stage"], str(event["stage"]))
            case ["step", what] if "step" in event:
                self._step(str(event["step"]), what, event)
            case _ if kind in _IN_THE_WAY:
                self._notes.append(_remark(kind, event))
            case _:
                pass  # a kind that is newer, or that says nothing about where the run stands

    def card(self) -> Card:
        """Returns how the run stands: a row for each step that it came to, then what it gave."""
        over = sum(row.state in {"executed", "cached"} for row in self._rows.values())
        how_far = f"{over} of {self._total} steps" if self._total else "starting"
        if self.exit_code is None:
            title = f"{self.pipeline}: {how_far}{f', {self._stage}' if self._stage else ''}"
            return Card("RUNNING", title, self._steps(), tuple(self._notes))
        if self.record is None:
            return Card("FAILED", f"{self.pipeline}: {self.error or 'it could not be run'}", self._steps())
        return Card(
            _STATES.get(self.record.status, str(self.record.status.value).upper()),
            f"{self.pipeline}: {how_far}",
            (*self._steps(), *_results(self.record)),
            (*self._notes, *_closing(self.record)),
        )

    def _steps(self) -> tuple[Table, ...]:
        rows = tuple(
            (name, row.state, f"{row.seconds:.1f} s" if row.seconds else "", row.remark)
            for name, row in self._rows.items()
        )
        return (Table("steps", ("step", "state", "time", "why"), rows),) if rows else ()

    def _step(self, step: str, what: str, event: Mapping[str, Any]) -> None:
        row = self._rows.setdefault(step, _Row("waiting"))
        match what:
            case "started":
                row.state, row.remark = "running", f"{event['reason']}{last_time(event.get('last'))}"
            case "done_early":
                row.state, row.seconds = "done early" if event["succeeded"] else "failed early", float(event["seconds"])
            case "cached" | "finished":
                row.state, row.seconds = str(event["status"]), float(event["seconds"])
                row.remark = _error(event.get("error")) or row.remark
            case "skipped":
                row.state = "skipped"
            case "retried":
                row.remark = f"try {event['tries']} of {event['most']} failed: {_error(event['error'])}"
            case "warned":
                self._notes += [f"{step}: {message}" for message in event["messages"]]
            case "repeated" | "not_cacheable":
                self._notes.append(f"{step}: runs {'again' if what == 'repeated' else 'every time'}: {event['reason']}")
            case _:
                pass  # likewise

    def _end(self, event: Mapping[str, Any]) -> None:
        self.exit_code, self.error = int(event["exit_code"]), str(event["error"])
        document = event.get("run")
        self.record = run_from_json(document, "the last event") if isinstance(document, dict) else None


def failure(watch: RunWatch) -> NbmlopsError:
    """Returns the error of a run that did not succeed: what it ended with, and what helps.

    Args:
        watch: A watch that has seen the end.
    """
    kind = _ERRORS.get(watch.exit_code or 0, EnvironmentFault)
    steps = watch.record.steps if watch.record else ()
    for step in steps:
        if (error := step.error) is not None:
            place = f", cell {error.cell}, line {error.line}" if error.cell else ""
            hint = error.hint or f"its notebook, with what it showed: {step.notebook}"
            return kind(f"step {step.name!r} failed{place}: {error.name}: {error.message:.200}", hint)
    if kind is GateRejected:
        return kind("the gate rejected the run", "what each rule of nbmlops.toml saw stands above")
    return kind(watch.error or f"the run ended with exit code {watch.exit_code}")


def _error(error: object) -> str:
    return f"{error['name']}: {error['message']:.200}" if isinstance(error, dict) else ""


def _remark(kind: str, event: Mapping[str, Any]) -> str:
    match kind:
        case "run.waiting":
            return f"waiting for another run of this pipeline ({event['holder']})"
        case "run.former_killed":
            return f"the run {event['run']} was killed while {event['phase']}; this one goes on with what it finished"
        case "run.started_cold":
            return f"steps start cold, which takes longer: {event['reason']}"
        case _:
            return str(event["reason"])


def _results(record: RunRecord) -> tuple[Table, ...]:
    metrics = tuple((name, show_number(value)) for name, value in record.metrics.items())
    tables = [Table("metrics", ("name", "value"), metrics)] if metrics else []
    if record.verdict is not None:
        tables.append(verdict_table("gate", verdict_from_json(record.verdict)))
    return tuple(tables)


def _closing(record: RunRecord) -> tuple[str, ...]:
    version = record.model_version
    notes = []
    if version is not None:
        aliases = f" as {', '.join(version.aliases)}" if version.aliases else ""
        notes.append(f"registered {version.name} version {version.version}{aliases}")
    if record.folder:
        notes.append(f"executed notebooks, run.json and report.html: {record.folder}")
    return tuple(notes)
