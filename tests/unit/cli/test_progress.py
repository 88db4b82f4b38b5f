from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress as Display
from rich.progress import TextColumn

from nbmlops.app.running.progress import PointFinished, PointStarted, Progress, StageStarted
from nbmlops.cli.progress import LiveListener, describe, live_columns, progress
from nbmlops.pipeline.run_record import JoinedSteps, LiveValue, ModelVersionRef, RunPhase, StepRecord, StepStatus
from nbmlops.runtime.schedule.events import (
    FormerRunKilled,
    InputsChanged,
    NotCacheable,
    RunWaiting,
    StartedCold,
    StepCached,
    StepDoneEarly,
    StepFinished,
    StepsJoined,
    StepSkipped,
    StepStarted,
    ValueDamaged,
)

EVENTS: tuple[Progress, ...] = (
    RunWaiting("process 7"),
    FormerRunKilled("20260102T030405Z-ab12cd", RunPhase.REGISTERING, ModelVersionRef("flights", "3", ("champion",))),
    StepCached(StepRecord("load", StepStatus.CACHED), 1, 4),
    StepStarted("clean", 2, 4, "code changed", 41.6),
    StepFinished(StepRecord("clean", StepStatus.EXECUTED, 1.25), 2, 4),
    InputsChanged("clean", ("flights", "planes")),
    NotCacheable("clean", "it reads from the network"),
    ValueDamaged("load", ("flights",)),
    StepsJoined(JoinedSteps(("load", "clean"), (LiveValue("rows", "generator", "cannot pickle it"),))),
    StepStarted("train", 3, 4, "input flights changed", 600.0),
    StepFinished(StepRecord("train", StepStatus.FAILED, 0.5), 3, 4),
    StepSkipped("report", 4, 4),
    StageStarted("track"),
    StageStarted("gate"),
    StageStarted("register"),
    StartedCold("its imports have started 2 threads"),
)
POINTS: tuple[Progress, ...] = (
    PointStarted(2, 6, {"depth": 3, "kind": "l1"}),
    PointFinished(2, 6, "auc", 0.7125, failed=False),
    PointFinished(3, 6, "auc", None, failed=True),
    PointFinished(4, 6, "auc", None, failed=False),
)
LINES = [
    "waiting for another run of this pipeline (process 7)",
    (
        "the run 20260102T030405Z-ab12cd was killed while registering; this one goes on with what it finished; "
        "its model is flights version 3 (champion)"
    ),
    "[1/4] load: cached",
    "[2/4] clean: running, last time 42 s (code changed)",
    "[2/4] clean: executed in 1.2 s",
    "clean: changed flights, planes in place; later steps see the change",
    "clean: runs every time: it reads from the network",
    "load: stored values are gone or damaged (flights); it runs again",
    "steps load and clean run in one process: `rows` (generator) cannot be stored",
    "[3/4] train: running, last time 10 min (input flights changed)",
    "[3/4] train: failed in 0.5 s",
    "[4/4] report: skipped",
    "waiting for the tracking store",
    "judging",
    "registering the model",
    "steps start cold, which takes longer: its imports have started 2 threads",
]
POINT_LINES = [
    "point 2 of 6: depth=3, kind='l1'",
    "point 2 of 6: auc 0.7125",
    "point 3 of 6: failed",
    "point 4 of 6: auc no value",
]


def test_every_event_is_one_line() -> None:
    assert [describe(event).text for event in (*EVENTS, *POINTS)] == [*LINES, *POINT_LINES]


def test_without_a_terminal_every_event_is_printed_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as listener:
        for event in EVENTS:
            listener(event)
    captured = capsys.readouterr()
    assert (captured.out, captured.err.splitlines()) == ("", LINES)


def test_the_live_display_keeps_one_row_for_each_step() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    display = Display(TextColumn("{task.description}", markup=False), console=console, auto_refresh=False)
    listener = LiveListener(display)
    for event in EVENTS:
        listener(event)
    rows = [(task.description, task.finished) for task in display.tasks]
    assert rows == [
        ("[1/4] load: cached", True),
        ("[2/4] clean: executed in 1.2 s", True),
        ("[3/4] train: failed in 0.5 s", True),
        ("[4/4] report: skipped", True),
        ("waiting for the tracking store", True),
        ("judging", True),
        ("registering the model", False),
    ]
    for event in POINTS[:2]:
        listener(event)
    assert list(display.tasks) == []  # each point begins with its first step
    listener(EVENTS[2])
    assert [task.description for task in display.tasks] == ["[1/4] load: cached"]


def test_a_step_that_is_done_early_waits_for_its_turn_and_may_run_again() -> None:
    display = Display(console=Console(file=io.StringIO()))
    listener = LiveListener(display)

    def rows() -> list[tuple[str, bool]]:
        return [(task.description, task.finished) for task in display.tasks]

    started = StepStarted("train", 3, 4, "code changed", 0.2)
    listener(started)
    assert rows() == [("[3/4] train: running (code changed)", False)]
    listener(StepDoneEarly("train", 3, 4, 1.25, succeeded=True))
    assert rows() == [("[3/4] train: done early in 1.2 s, waits for its turn", True)]
    listener(started)
    assert rows() == [("[3/4] train: running (code changed)", False)]
    listener(StepDoneEarly("train", 3, 4, 0.5, succeeded=False))
    assert rows() == [("[3/4] train: failed early in 0.5 s, waits for its turn", True)]
    listener(StepFinished(StepRecord("train", StepStatus.EXECUTED, 0.5), 3, 4))
    assert rows() == [("[3/4] train: executed in 0.5 s", True)]


def test_in_a_narrow_terminal_the_text_is_cut_and_not_the_time() -> None:
    file = io.StringIO()
    console = Console(file=file, width=40, force_terminal=True, color_system=None)
    display = Display(*live_columns(), console=console)
    LiveListener(display)(StepStarted("a_step_with_a_long_name", 3, 4, "input left changed; input right changed"))
    console.print(display.get_renderable())
    (shown,) = file.getvalue().splitlines()
    assert (len(shown), shown[1:]) == (40, " [3/4] a_step_with_a_long_name… 0:00:00")
