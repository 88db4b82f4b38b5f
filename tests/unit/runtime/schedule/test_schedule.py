from __future__ import annotations

import pytest
from msgspec.structs import replace

from nbmlops.pipeline.demands import Resources
from nbmlops.pipeline.ir import Input, Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.ambient.ambient import Setting
from nbmlops.runtime.reuse.records import FileState, StepOutcome
from nbmlops.runtime.schedule.schedule import Limits, Standing, State, expected_memory, is_clear, startable, urgencies
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import Codec, StoredValue


def step(name: str, **reads: str) -> Step:
    inputs = tuple(Input(value, maker) for value, maker in reads.items())
    return Step(name, name, StepMode.FUNCTION, "", (1,), (name,), inputs, (), (), (), (), (), "", "")


MAKE, LEFT, RIGHT, JOIN = step("make"), step("left", rows="make"), step("right", rows="make"), step("join", x="left")
PIPELINE = Pipeline("p", "", "", "", "", {}, "", (), (MAKE, LEFT, RIGHT, JOIN))
NOTHING = StepOutcome()
ROWS = StoredValue("rows", Codec.PICKLE, ObjectRef("0" * 64, 1), "f", "list")
READS_A, WRITES_A = StepOutcome(files={"a": FileState("x")}), StepOutcome(written=("a",))


def unsettled(one: Step, outcome: StepOutcome | None) -> list[Standing]:
    return [Standing(one, State.RUNNING, outcome)]


@pytest.mark.parametrize(
    ("before", "own", "clear"),
    [
        (NOTHING, NOTHING, True),
        (None, NOTHING, False),
        (StepOutcome(unkeyable="it runs another program"), NOTHING, False),
        (NOTHING, StepOutcome(unkeyable="it reads from the network"), False),
        (NOTHING, StepOutcome(altered=("log",)), False),
        (NOTHING, StepOutcome(live=(LiveValue("g", "generator", "no"),)), False),
        (StepOutcome(values=(ROWS,)), NOTHING, False),
        (StepOutcome(live=(LiveValue("folder: x", "folder", "no"),)), NOTHING, False),
        (StepOutcome(live=(LiveValue("x", "generator", "no"),)), NOTHING, False),
        (StepOutcome(random_used=True), StepOutcome(random_used=True), False),
        (StepOutcome(random_used=True), NOTHING, True),
        (WRITES_A, READS_A, False),
        (READS_A, WRITES_A, False),
        (WRITES_A, WRITES_A, False),
        (READS_A, READS_A, True),
    ],
)
def test_a_step_may_pass_another_when_neither_reaches_the_other(
    before: StepOutcome | None, own: StepOutcome, clear: bool
) -> None:
    assert is_clear(PIPELINE, RIGHT, own, unsettled(LEFT, before)) == clear


@pytest.mark.parametrize(("part", "clear"), [("figure display", True), ("working directory", False)])
def test_figures_that_an_earlier_step_will_make_known_are_no_reason_to_wait(part: str, clear: bool) -> None:
    shows = StepOutcome(settings={part: Setting(ObjectRef("0" * 64, 1), "x")})
    assert is_clear(PIPELINE, RIGHT, StepOutcome(settings_before={part: "x"}), unsettled(LEFT, shows)) == clear


def test_a_step_waits_for_those_it_needs_and_one_that_reads_all_names_for_all() -> None:
    assert not is_clear(PIPELINE, RIGHT, NOTHING, unsettled(MAKE, NOTHING))
    assert not is_clear(PIPELINE, replace(RIGHT, whole=True), NOTHING, unsettled(LEFT, NOTHING))
    assert is_clear(PIPELINE, replace(RIGHT, whole=True), NOTHING, [])


def test_the_longest_way_to_the_end_goes_first() -> None:
    seconds = {"make": 1.0, "left": 2.0, "right": 5.0, "join": 4.0}
    found = urgencies(PIPELINE, seconds)
    assert found == {"make": 7.0, "left": 6.0, "right": 5.0, "join": 4.0}
    ready = [Standing(one, State.READY, NOTHING) for one in (RIGHT, LEFT)]
    assert startable(ready, Limits(jobs=2), found) == ("left", "right")
    assert startable(ready, Limits(jobs=1), found) == ("left",)
    assert startable([*ready, *unsettled(MAKE, NOTHING)], Limits(jobs=2), found) == ("left",)
    assert startable([*ready, *unsettled(MAKE, NOTHING)], Limits(jobs=1), found) == ()


def test_memory_and_what_a_step_is_declared_to_want_count() -> None:
    big, small = Standing(LEFT, State.READY, NOTHING, 6 << 30), Standing(RIGHT, State.READY, NOTHING, 1 << 30)
    assert startable([big, small], Limits(2, 8 << 30), {}) == ("left", "right")
    assert startable([big, small], Limits(2, 6 << 30), {}) == ("left",)
    assert startable([big], Limits(2, 1), {}) == ("left",)  # one at a time may always run
    wanted = replace(small, step=replace(RIGHT, resources=Resources(memory="4GiB")))
    assert expected_memory(wanted) == 4 << 30
    assert startable([big, wanted], Limits(2, 8 << 30), {}) == ("left",)
    wide = replace(small, step=replace(RIGHT, resources=Resources(cpu=2.5)))
    assert startable([big, wide], Limits(3), {}) == ("left",)
    assert startable([big, wide], Limits(4), {}) == ("left", "right")
    cards = [replace(found, step=replace(found.step, resources=Resources(gpu=1))) for found in (big, small)]
    assert startable(cards, Limits(4), {}) == ("left",)


def test_a_step_whose_memory_nobody_knows_runs_alone_where_memory_is_limited() -> None:
    unknown, known = Standing(LEFT, State.READY, None), Standing(RIGHT, State.READY, NOTHING, 1)
    assert startable([unknown, known], Limits(2, 8 << 30), {}) == ("left",)
    assert startable([unknown, known], Limits(2, 8 << 30), {"right": 1.0}) == ("right",)
    assert startable([known, replace(unknown, state=State.RUNNING)], Limits(2, 8 << 30), {}) == ()
    assert startable([unknown, replace(known, state=State.RUNNING)], Limits(2, 8 << 30), {}) == ()
    assert startable([unknown, known], Limits(2), {}) == ("left", "right")
    declared = replace(unknown, step=replace(LEFT, resources=Resources(memory="4GiB")))
    assert startable([declared, known], Limits(2, 8 << 30), {}) == ("left", "right")
