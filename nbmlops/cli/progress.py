"""The progress of a run on stderr: a live display on a terminal, one line for each event elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nbmlops.app.running.progress import STAGES, PointFinished, PointStarted, Progress, StageStarted, last_time
from nbmlops.cli.blocks import Line, Tone, printable
from nbmlops.cli.console import is_terminal, show, terminal
from nbmlops.cli.joined import joined_text
from nbmlops.gate.numerals import show_number
from nbmlops.pipeline.run_record import StepStatus
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

if TYPE_CHECKING:
    from rich.progress import Progress as LiveProgress
    from rich.progress import ProgressColumn, Task, TaskID
    from rich.text import Text

Listener = Callable[[Progress], None]
StepRemark = InputsChanged | NotCacheable | ValueDamaged | StepRetried | StepRepeated | StepWarned
Remark = StepRemark | RunWaiting | FormerRunKilled | StepsJoined | StartedCold | SharingFailed
Elsewhere = StepsSentElsewhere | StepsWaitElsewhere | StepDoneElsewhere


@contextmanager
def progress() -> Iterator[Listener]:
    """Yields what a run tells its events to."""
    if not is_terminal(sys.stderr):
        yield _print_line
        return
    from rich.progress import Progress as Display

    with Display(*live_columns(), console=terminal(sys.stderr), transient=True) as display:
        yield LiveListener(display)


def live_columns() -> tuple[ProgressColumn, ...]:
    """Returns what a row of the live display shows; in a narrow terminal the text is cut, never the time."""
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    class CutText(TextColumn):
        def render(self, task: Task) -> Text:
            text = super().render(task)
            text.no_wrap, text.overflow = True, "ellipsis"
            return text

    # Rich takes width away from columns that may wrap.
    text = CutText("{task.description}", markup=False, table_column=Column())
    spinner = SpinnerColumn(finished_text=" ", table_column=Column(no_wrap=True))
    return spinner, text, TimeElapsedColumn(table_column=Column(no_wrap=True))


def describe(event: Progress) -> Line:
    """Returns an event as one line."""
    match event:
        case StepStarted(step=step, number=number, total=total, reason=reason, last=last):
            return Line(f"[{number}/{total}] {step}: running{last_time(last)} ({reason})")
        case StepCached(record=record, number=number, total=total):
            return Line(f"[{number}/{total}] {record.name}: cached", Tone.DIM)
        case StepFinished(record=record, number=number, total=total):
            failed = record.status is StepStatus.FAILED
            text = f"[{number}/{total}] {record.name}: {record.status.value} in {record.seconds:.1f} s"
            return Line(text, Tone.BAD if failed else Tone.GOOD)
        case StepDoneEarly() | StepSkipped():
            return Line(f"[{event.number}/{event.total}] {event.step}: {_not_now(event)}", Tone.DIM)
        case (
            StageStarted()
            | PointStarted()
            | PointFinished()
            | StepsSentElsewhere()
            | StepsWaitElsewhere()
            | StepDoneElsewhere()
        ):
            return _stage(event)
        case _:
            return _remark(event)


def _not_now(event: StepDoneEarly | StepSkipped) -> str:
    if isinstance(event, StepSkipped):
        return "skipped"
    return f"{'done' if event.succeeded else 'failed'} early in {event.seconds:.1f} s, waits for its turn"


def _stage(event: StageStarted | PointStarted | PointFinished | Elsewhere) -> Line:
    match event:
        case StageStarted(stage=stage):
            return Line(STAGES[stage])
        case PointStarted(number=number, total=total, parameters=parameters):
            values = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
            return Line(f"point {number} of {total}: {values}", Tone.STRONG)
        case PointFinished(number=number, total=total, metric=metric, value=value, failed=failed):
            found = "no value" if value is None else show_number(value)
            text = "failed" if failed else f"{metric} {found}"
            return Line(f"point {number} of {total}: {text}", Tone.BAD if failed else Tone.GOOD)
        case _:
            return _elsewhere(event)


def _remark(event: Remark) -> Line:
    match event:
        case RunWaiting(holder=holder):
            return Line(f"waiting for another run of this pipeline ({holder})", Tone.WARNING)
        case FormerRunKilled(run=run, phase=phase, version=version):
            text = f"the run {run} was killed while {phase}; this one goes on with what it finished"
            aliases = f" ({', '.join(version.aliases)})" if version and version.aliases else ""
            model = f"; its model is {version.name} version {version.version}{aliases}" if version else ""
            return Line(f"{text}{model}", Tone.WARNING)
        case StepsJoined(joined=joined):
            return Line(joined_text(joined), Tone.WARNING)
        case StartedCold(reason=reason):
            return Line(f"steps start cold, which takes longer: {reason}", Tone.WARNING)
        case SharingFailed(reason=reason):
            return Line(f"shared store: {reason}", Tone.WARNING)
        case _:
            return Line(f"{event.step}: {_about_step(event)}", Tone.WARNING)


def _elsewhere(event: Elsewhere) -> Line:
    if isinstance(event, StepsSentElsewhere):
        return Line(f"{len(event.steps)} steps for {event.workers} workers of the cluster at {event.scheduler}")
    if isinstance(event, StepsWaitElsewhere):
        return Line(f"{len(event.steps)} steps wait for a worker: {event.reason}", Tone.WARNING)
    if event.after:
        return Line(f"{event.step}: not begun, {event.after} failed", Tone.DIM)
    text = f"{event.step}: {'done' if event.succeeded else 'failed'} in {event.seconds:.1f} s"
    return Line(f"{text} on {event.worker}" if event.worker else text, Tone.GOOD if event.succeeded else Tone.BAD)


def _about_step(event: StepRemark) -> str:
    match event:
        case InputsChanged(names=names):
            return f"changed {', '.join(names)} in place; later steps see the change"
        case NotCacheable(reason=reason):
            return f"runs every time: {reason}"
        case ValueDamaged(names=names):
            return f"stored values are gone or damaged ({', '.join(names)}); it runs again"
        case StepRepeated(reason=reason):
            return f"ran beside earlier steps, which changed what it depends on; it runs again: {reason}"
        case StepWarned(messages=messages):
            return "; ".join(messages)
        case StepRetried(tries=tries, most=most, wait=wait, error=error):
            return f"try {tries} of {most} failed ({error.name}: {error.message:.200}); again in {wait:g} s"


def _print_line(event: Progress) -> None:
    show((describe(event),), stderr=True)


class LiveListener:
    """The display of a terminal: one row for each step that runs, remarks above."""

    def __init__(self, display: LiveProgress) -> None:
        self._display = display
        self._rows: dict[str, TaskID] = {}

    def __call__(self, event: Progress) -> None:
        """Shows the event."""
        line = printable(describe(event).text, one_line=True)
        match event:
            case StepStarted(step=step):
                if step in self._rows:  # it runs again
                    self._display.remove_task(self._rows[step])
                self._rows[step] = self._display.add_task(line, total=1)
            case StepDoneEarly(step=step) if step in self._rows:
                self._display.update(self._rows[step], description=line, completed=1)
            case StepFinished(record=record) if record.name in self._rows:
                self._display.update(self._rows[record.name], description=line, completed=1)
            case StepCached() | StepSkipped() | StepFinished():
                self._display.update(self._display.add_task(line, total=1), completed=1)
            case PointStarted():
                for row in self._display.task_ids:  # the steps of the point before
                    self._display.remove_task(row)
                self._rows.clear()
                self._display.console.print(line)
            case StageStarted(stage=stage):
                self._close_stages()
                self._rows[f"stage {stage}"] = self._display.add_task(line, total=1)
            case _:
                self._display.console.print(line)

    def _close_stages(self) -> None:
        for name, row in self._rows.items():
            if name.startswith("stage "):
                self._display.update(row, completed=1)
