"""What is taken into a run without executing anything, over real records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.codec import pipeline_to_yaml
from nbmlops.pipeline.ir import Input, Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import RunStatus, StepRecord, StepStatus
from nbmlops.runtime.layout import layout_of
from nbmlops.runtime.reuse.plan import step_key
from nbmlops.runtime.reuse.records import CacheRecord, StepOutcome
from nbmlops.runtime.schedule.course import Course
from nbmlops.runtime.schedule.events import Event, StepCached, StepSkipped
from nbmlops.runtime.schedule.results import RunOptions

Start = Callable[..., Course]


def step(name: str, *reads: tuple[str, str]) -> Step:
    inputs = tuple(Input(value, made) for value, made in reads)
    notebook = f"notebooks/{name}.ipynb"
    return Step(name, name, StepMode.FUNCTION, "", (), (), inputs, (), (), (), (), (name,), notebook, f"code {name}")


STEPS = (step("load"), step("plot"), step("train", ("data", "load")))


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def start(tmp_path: Path, told: list[Event]) -> Start:
    """Begins a run of three steps, the first and the last of which are connected."""
    folder = tmp_path / "pipelines" / "p"
    files = {path: "x" for name in ("load", "plot", "train") for path in (f"p/{name}.py", f"notebooks/{name}.ipynb")}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    pipeline = Pipeline("p", "", "../../p.ipynb", "../..", "", {}, "", (), STEPS)
    digests = {path: digest_bytes(text.encode()) for path, text in files.items()}
    (folder / "pipeline.yaml").write_bytes(pipeline_to_yaml(pipeline, digests))

    def made(**options: Any) -> Course:
        told.clear()
        given = RunOptions(environment=dict, base=tmp_path, **options)
        return Course(pipeline, layout_of(folder, pipeline), given, told.append, "run")

    return made


def keep(course: Course, name: str, outcome: StepOutcome) -> CacheRecord:
    """Notes what a step did in an earlier run."""
    parts = course.facts.parts(course.pipeline.step(name), {})
    record = CacheRecord(name, step_key(name, parts), parts, outcome, run="earlier")
    course.cache.add(record)
    return record


def cached(record: CacheRecord) -> StepRecord:
    return StepRecord(record.step, StepStatus.CACHED, key=record.key, reason="unchanged")


def test_what_the_cache_has_is_taken_up_to_the_first_step_that_has_to_be_executed(
    start: Start, told: list[Event]
) -> None:
    course = start()
    load = keep(course, "load", StepOutcome())
    assert (course.take_cached(), course.next.name, course.is_short()) == ("new", "plot", True)
    assert told == [StepCached(cached(load), 1, 3)]
    plot, train = keep(course, "plot", StepOutcome()), keep(course, "train", StepOutcome())
    assert (course.take_cached(), course.is_short()) == ("", False)
    result = course.closed("")
    assert (result.status, result.steps) == (RunStatus.SUCCEEDED, tuple(map(cached, (load, plot, train))))
    assert result.origins == dict.fromkeys(("load", "plot", "train"), "earlier")


def test_forced_steps_and_strict_runs_of_warned_ones_are_not_taken(start: Start) -> None:
    course = start()
    keep(course, "load", StepOutcome(warnings=("a thread died",)))
    assert course.take_next() == ""
    assert start(strict=True).take_next() == "something went wrong beside it last time"
    assert start(force=True).take_next() == "forced"


def test_a_run_that_ends_early_skips_the_rest(start: Start, told: list[Event]) -> None:
    course = start()
    load = keep(course, "load", StepOutcome())
    course.take_cached()
    course.failed = StepRecord("plot", StepStatus.FAILED)
    skipped = StepRecord("train", StepStatus.SKIPPED)
    result = course.closed("")
    assert (result.status, result.steps) == (RunStatus.FAILED, (cached(load), course.failed, skipped))
    assert told[1:] == [StepSkipped("train", 3, 3)]
    assert replace(course.closed("SIGINT"), steps=()).status is RunStatus.INTERRUPTED


def test_single_steps_go_over_what_others_left_and_without_those_they_do_not_need(
    start: Start, told: list[Event]
) -> None:
    with pytest.raises(UsageError, match="step 'train' needs 'load', whose results for these parameters are not"):
        start(only=("train",)).take_cached()
    course = start(only=("train",))
    load = keep(course, "load", StepOutcome())
    assert course.take_cached() == "new"
    assert (course.next.name, course.position(course.next)) == ("train", (2, 2))
    assert told == [StepCached(cached(load), 1, 3)]
