"""The note that a run leaves while it executes steps, and what the next one makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.ir import Parameter, ParameterType, Pipeline
from nbmlops.pipeline.run_codec import run_from_json
from nbmlops.pipeline.run_record import (
    Lineage,
    ModelVersionRef,
    RunPhase,
    RunRecord,
    RunStatus,
    StepRecord,
    StepStatus,
)
from nbmlops.runtime.layout import BEGUN_FILE, Layout
from nbmlops.runtime.schedule.events import Event, FormerRunKilled, StepStarted
from nbmlops.runtime.schedule.results import KilledRun, RunOptions
from nbmlops.runtime.schedule.unfinished import RunTrace

START = StepStarted("make", 1, 1, "new")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "pipelines" / "tiny", tmp_path, "tiny", tmp_path, "tiny.ipynb")


def trace(layout: Layout, run: str, **options: Any) -> RunTrace:
    pipeline = Pipeline(
        name="tiny",
        title="Tiny",
        notebook="../../tiny.ipynb",
        root="../..",
        notebook_digest="0" * 64,
        cell_digests={},
        version="1" * 64,
        parameters=(Parameter("n", ParameterType.INT, 1),),
        steps=(),
    )
    return RunTrace(layout, pipeline, run, RunOptions(**{"base": layout.root, "parameters": {"n": 2}, **options}))


def test_a_note_is_there_while_steps_are_executed(layout: Layout) -> None:
    told: list[Event] = []
    run = trace(layout, "one")
    tell, note = run.follow(told.append), layout.state / BEGUN_FILE
    with run.left(told.append):
        assert not note.exists()
        tell(START)
        tell(START)
        assert json.loads(note.read_bytes()) == {
            "schema": "nbmlops/run-begun/2",
            "run": "one",
            "phase": "running steps",
            "parameters": {"n": 2},
        }
    assert not note.exists()
    assert told == [START, START]


@pytest.mark.parametrize("came_to_its_folder", [True, False])
def test_a_note_that_is_found_is_that_of_a_killed_run(layout: Layout, came_to_its_folder: bool) -> None:
    told: list[Event] = []
    killed = trace(layout, "one")
    killed.follow(told.append)(START)
    if came_to_its_folder:
        (layout.runs / "one").mkdir(parents=True)
    with trace(layout, "two").left(told.append):
        pass
    with trace(layout, "three").left(told.append):
        pass
    assert told == [START, FormerRunKilled("one")]
    document = json.loads((layout.runs / "one" / "run.json").read_bytes())
    assert (document["status"], document["parameters"], document["steps"]) == ("killed", {"n": 2}, [])
    assert document["folder"] == "runs/tiny/one"


def test_a_run_that_has_its_document_keeps_it_and_a_broken_note_goes(layout: Layout) -> None:
    told: list[Event] = []
    trace(layout, "one").follow(told.append)(START)
    (layout.runs / "one").mkdir(parents=True)
    (layout.runs / "one" / "run.json").write_text("{}")
    with trace(layout, "two").left(told.append):
        pass
    assert (layout.runs / "one" / "run.json").read_text() == "{}"
    (layout.state / BEGUN_FILE).write_text("{")
    with trace(layout, "three").left(told.append):
        pass
    assert told == [START, FormerRunKilled("one")]
    assert not (layout.state / BEGUN_FILE).exists()


def test_after_the_steps_the_note_says_what_the_run_is_at(layout: Layout) -> None:
    told: list[Event] = []
    record = RunRecord(
        status=RunStatus.SUCCEEDED,
        run_id="tracked",
        pipeline="tiny",
        steps=(StepRecord("make", StepStatus.CACHED, notebook="runs/tiny/zero/make.ipynb"),),
        parameters={"n": 2},
        metrics={"auc": 0.5},
        lineage=Lineage(run_id="tracked"),
        folder="runs/tiny/one",
    )
    trace(layout, "one").reach(RunPhase.REGISTERING, record, "digest", "policy")
    elsewhere = layout.root / "pipelines"
    found: list[KilledRun] = []

    def settle(killed: KilledRun) -> RunRecord:
        found.append(killed)
        return replace(killed.record, model_version=ModelVersionRef("tiny", "3"))

    with trace(layout, "two", base=elsewhere, settle=settle).left(told.append):
        pass
    steps = (replace(record.steps[0], notebook="../runs/tiny/zero/make.ipynb"),)
    killed = replace(record, status=RunStatus.KILLED, killed_while=RunPhase.REGISTERING)
    killed = replace(killed, steps=steps, folder="../runs/tiny/one")
    assert found == [KilledRun(killed, "one", "digest", "policy")]
    assert told == [FormerRunKilled("one", RunPhase.REGISTERING, ModelVersionRef("tiny", "3"))]
    document = json.loads((layout.runs / "one" / "run.json").read_bytes())
    assert run_from_json(document) == replace(killed, model_version=ModelVersionRef("tiny", "3"))


def test_a_run_that_had_come_to_its_end_is_not_told_of(layout: Layout) -> None:
    told: list[Event] = []
    trace(layout, "one").follow(told.append)(START)
    with trace(layout, "two", settle=lambda killed: None).left(told.append):
        pass
    assert told == [START]
    assert not (layout.state / BEGUN_FILE).exists()


def test_a_run_whose_settling_fails_is_found_again(layout: Layout) -> None:
    trace(layout, "one").follow(lambda event: None)(START)

    def settle(killed: KilledRun) -> RunRecord:
        raise EnvironmentFault(f"no store for {killed.name}")

    with pytest.raises(EnvironmentFault, match="no store for one"), trace(layout, "two", settle=settle).left(print):
        pass
    assert (layout.state / BEGUN_FILE).exists()


def test_runs_of_single_steps_leave_no_note_and_find_none(layout: Layout) -> None:
    told: list[Event] = []
    single = trace(layout, "single", only=("make",))
    single.follow(told.append)(START)
    assert not layout.state.exists()
    trace(layout, "one").follow(told.append)(START)
    with single.left(told.append):
        pass
    assert told == [START, START]
    assert (layout.state / BEGUN_FILE).exists()
