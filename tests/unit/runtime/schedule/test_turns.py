"""What becomes of a run after each step, over real records, lanes and stores: only the steps' processes are staged."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Signal

import pytest
from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.codec import pipeline_to_yaml
from nbmlops.pipeline.ir import Input, Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import LiveValue, StepLog
from nbmlops.runtime.layout import layout_of
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.schedule import crew
from nbmlops.runtime.schedule.course import Course
from nbmlops.runtime.schedule.events import (
    Event,
    StepDoneEarly,
    StepFinished,
    StepRepeated,
    StepRetried,
    StepsJoined,
    ValueDamaged,
)
from nbmlops.runtime.schedule.execute import Completed, Ending, Job, Raised
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.schedule.turns import Turns
from nbmlops.runtime.steps.context import Remains, StepContext, StepReport
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import Codec, StoredValue

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAILS = Raised("ValueError", "no", "")
LEFT_NOTHING = Remains((), ())
MODEL = LiveValue("model", "thread", "it cannot be pickled")


def step(name: str, *reads: tuple[str, str], retries: int = 0) -> Step:
    inputs = tuple(Input(value, made) for value, made in reads)
    notebook = f"notebooks/{name}.ipynb"
    made = Step(name, name, StepMode.FUNCTION, "", (), (), inputs, (), (), (), (), (name,), notebook, f"code {name}")
    return replace(made, retries=retries)


class Stage(Struct):
    """The processes of the steps.

    Attributes:
        told: What the run told.
        ends: Step -> what happens when it is executed, each time that it is; nothing in particular for others.
        ran: For each process that was started, the steps that it executed.
    """

    told: list[Event] = field(default_factory=list)
    ends: dict[str, list[Callable[[], StepOutcome | Remains | None]]] = field(default_factory=dict)
    ran: list[list[str]] = field(default_factory=list)

    def process(self, *_: object) -> StagedProcess:
        self.ran.append([])
        return StagedProcess(self, self.ran[-1])

    def names(self) -> list[str]:
        """Returns what was told, in few words."""
        return [f"{type(event).__name__} {_name(event)}" for event in self.told]


def _name(event: Event) -> str:
    match event:
        case StepFinished(record=record):
            return record.name
        case StepsJoined(joined=joined):
            return " ".join(joined.steps)
        case _:
            return str(event.step)  # type: ignore[union-attr]  # the events of these tests have one


class StagedProcess:
    """Stands for `StepProcess`: a kernel and the steps in it."""

    is_warm = False

    def __init__(self, stage: Stage, ran: list[str]) -> None:
        self._stage, self._ran = stage, ran

    def run(self, context: StepContext, job: Job) -> tuple[Ending, StepReport]:
        self._ran.append(context.step)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        job.target.write_text('{"cells": [], "metadata": {}}')
        waiting = self._stage.ends.get(context.step, [])
        end = waiting.pop(0)() if waiting else StepOutcome()
        if isinstance(end, StepOutcome):
            return Completed(), StepReport(end, StepLog(), None)
        return FAILS, StepReport(None, StepLog(), None, end)

    def close(self, *, gently: bool = False) -> None:
        pass

    def kill(self) -> None:
        pass


Begin = Callable[..., Course]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage()
    monkeypatch.setattr(crew, "StepProcess", made.process)
    return made


@pytest.fixture
def begin(tmp_path: Path, stage: Stage) -> Begin:
    folder = tmp_path / "pipelines" / "p"

    def made(*steps: Step, run: str = "run", jobs: int = 1, once: bool = False, force: bool = False) -> Course:
        files = {path: "x" for one in steps for path in (f"p/{one.name}.py", one.notebook)}
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        pipeline = Pipeline("p", "", "../../p.ipynb", "../..", "", {}, "", (), steps)
        digests = {path: digest_bytes(text.encode()) for path, text in files.items()}
        (folder / "pipeline.yaml").write_bytes(pipeline_to_yaml(pipeline, digests))
        stage.told.clear()
        stage.ran.clear()
        given = RunOptions(environment=dict, base=tmp_path, warm=False, now=lambda: NOON)  # no step is more urgent
        options = replace(given, jobs=jobs, once=once, force=force)
        return Course(pipeline, layout_of(folder, pipeline), options, stage.told.append, run)

    return made


def go(course: Course) -> Course:
    if reason := course.take_cached():
        Turns(course, reason).go()
    return course


def failing() -> Remains:
    return LEFT_NOTHING


def test_a_process_goes_on_up_to_the_last_reader_of_what_cannot_be_stored(begin: Begin, stage: Stage) -> None:
    stage.ends["load"] = [lambda: StepOutcome(live=(MODEL,))]
    course = go(begin(step("load"), step("plot"), step("train", ("model", "load")), step("tell")))
    assert stage.ran == [["load", "plot", "train"], ["tell"]]
    assert stage.names().count("StepsJoined load plot train") == 1
    assert [record.unit for _, record in course.done] == ["load", "load", "load", ""]
    notes = [json.loads((course.layout.root / record.notebook).read_text()) for _, record in course.done]
    assert ["nbmlops" in note["metadata"] for note in notes] == [True, True, True, False]


def test_a_step_that_fails_ends_the_run(begin: Begin, stage: Stage) -> None:
    stage.ends["plot"] = [failing]
    course = go(begin(step("load"), step("plot"), step("train")))
    assert stage.ran == [["load"], ["plot"]]
    assert course.failed is not None
    assert (course.failed.name, [record.name for record, _ in course.done]) == ("plot", ["load"])


def test_a_step_is_tried_again_as_often_as_it_says_and_in_a_new_process(begin: Begin, stage: Stage) -> None:
    stage.ends["load"] = [failing, failing]
    course = go(begin(step("load", retries=2)))
    assert (stage.ran, course.failed) == ([["load"], ["load"], ["load"]], None)
    assert [(e.step, e.tries, e.most) for e in stage.told if isinstance(e, StepRetried)] == [
        ("load", 1, 3),
        ("load", 2, 3),
    ]
    assert sorted(path.name for path in (course.layout.runs / "run").iterdir()) == [
        "load.ipynb", "load.try1.ipynb", "load.try2.ipynb",
    ]  # fmt: skip

    stage.ends["load"] = [failing, failing, failing]
    assert go(begin(step("load", retries=1), force=True)).failed is not None
    assert stage.ran == [["load"], ["load"]]
    stage.ends["load"] = [failing]
    assert go(begin(step("load", retries=1), force=True, once=True)).failed is not None
    assert stage.ran == [["load"]]


@pytest.mark.parametrize(
    ("of_load", "ran"), [(1, [["load", "train"], ["load", "train"]]), (0, [["load", "train"]])]
)  # fmt: skip
def test_joined_steps_are_tried_again_from_the_first_if_each_says_so(
    begin: Begin, stage: Stage, of_load: int, ran: list[list[str]]
) -> None:
    stage.ends["load"] = [lambda: StepOutcome(live=(MODEL,), peak=1), lambda: StepOutcome(live=(MODEL,), peak=2)]
    stage.ends["train"] = [failing]
    course = go(begin(step("load", retries=of_load), step("train", ("model", "load"), retries=1)))
    assert (stage.ran, course.failed is None, len(course.done)) == (ran, of_load == 1, 2 if of_load else 1)
    assert course.done[0][1].outcome.peak == len(ran)  # what the last try did


def test_values_that_are_gone_are_made_again_and_not_for_ever(begin: Begin, stage: Stage) -> None:
    gone = StoredValue("data", Codec.JSON, ObjectRef("0" * 64, 3), "f", "int")
    stage.ends["load"] = [lambda: StepOutcome(values=(gone,))] * 9
    course = begin(step("load"), step("train", ("data", "load")))
    with pytest.raises(EnvironmentFault, match="are damaged again and again"):
        go(course)
    assert stage.ran == [["load"]] * 4
    assert [e for e in stage.told if isinstance(e, ValueDamaged)] == [ValueDamaged("load", ("data",))] * 3


def listening(course: Course, stage: Stage, over: Signal) -> Course:
    """Returns the course, which sets the signal when a step is over that began before its turn."""

    def tell(event: Event) -> None:
        stage.told.append(event)
        if isinstance(event, StepDoneEarly):
            over.set()

    course.tell = tell
    return course


def test_what_ran_early_counts_in_its_turn(begin: Begin, stage: Stage) -> None:
    steps = step("left"), step("right")
    go(begin(*steps, run="first"))
    over = Signal()
    stage.ends["left"] = [lambda: StepOutcome() if over.wait(30) else None]
    course = go(listening(begin(*steps, jobs=2, force=True), stage, over))
    assert (sorted(stage.ran), [record.name for record, _ in course.done]) == ([["left"], ["right"]], ["left", "right"])
    assert [record.early for record, _ in course.done] == [False, True]


def test_what_failed_early_runs_again_in_its_turn_where_nobody_saw_what_it_left(begin: Begin, stage: Stage) -> None:
    steps = step("left"), replace(step("right"), retries=1)
    go(begin(*steps, run="first"))
    over = Signal()
    stage.ends["left"] = [lambda: StepOutcome() if over.wait(30) else None]
    stage.ends["right"] = [failing]
    course = listening(begin(*steps, jobs=2, force=True), stage, over)
    go(course)
    assert (stage.ran, course.failed) == ([["left"], ["right"], ["right"]], None)
    assert [e for e in stage.told if isinstance(e, StepRepeated)] == [
        StepRepeated("right", "it failed before its turn (ValueError)")
    ]
    assert not any(isinstance(e, StepRetried) for e in stage.told)


@pytest.mark.parametrize(("of_right", "expected"), [(StepOutcome(), True), (LEFT_NOTHING, False)])
def test_nothing_more_begins_early_once_a_step_has_failed(
    begin: Begin, stage: Stage, of_right: StepOutcome | Remains, *, expected: bool
) -> None:
    steps = step("left"), step("right"), step("third")
    go(begin(*steps, run="first"))
    over = Signal()
    stage.ends["left"] = [lambda: StepOutcome() if over.wait(30) else None]
    stage.ends["right"] = [lambda: of_right]
    go(listening(begin(*steps, jobs=2, force=True), stage, over))
    names = stage.names()
    assert ("StepStarted third" in names[: names.index("StepFinished left")]) is expected
