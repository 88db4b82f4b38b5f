from __future__ import annotations

from pathlib import Path

from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.ir import Input, Pipeline, Step, StepMode
from nbmlops.runtime.layout import layout_of
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.schedule.notebook_order import before_each, known_outcomes
from nbmlops.runtime.schedule.results import RunOptions
from tests.integration.test_runtime import Sketch, write_pipeline


def step(name: str, **reads: str) -> Step:
    inputs = tuple(Input(value, maker) for value, maker in reads.items())
    return Step(name, name, StepMode.FUNCTION, "", (1,), (name,), inputs, (), (), (), (), (), "", "")


STEPS = (step("make"), step("left", rows="make"), step("right", rows="make"), step("join", x="left", y="right"))
PIPELINE = Pipeline("p", "", "", "", "", {}, "", (), STEPS)
NOTHING, DRAWS = StepOutcome(), StepOutcome(random_used=True)


def test_steps_of_which_nothing_is_known_keep_the_order_of_the_notebook() -> None:
    chain = {"make": (), "left": ("make",), "right": ("left",), "join": ("right",)}
    assert before_each(PIPELINE, STEPS, {}) == chain
    known = dict.fromkeys(("make", "left", "join"), NOTHING)
    assert before_each(PIPELINE, STEPS, known) == chain


def test_steps_that_are_known_to_leave_each_other_alone_need_what_they_read_only() -> None:
    known = dict.fromkeys(("make", "left", "right", "join"), NOTHING)
    assert before_each(PIPELINE, STEPS, known) == {
        "make": (), "left": ("make",), "right": ("make",), "join": ("left", "right"),
    }  # fmt: skip
    assert before_each(PIPELINE, STEPS[1:], known)["right"] == ()


def test_steps_that_draw_random_numbers_follow_each_other_and_others_do_not_wait() -> None:
    known = {"make": NOTHING, "left": DRAWS, "right": DRAWS, "join": NOTHING}
    assert before_each(PIPELINE, STEPS, known) == {
        "make": (), "left": ("make",), "right": ("left",), "join": ("right",),
    }  # fmt: skip
    known |= {"make": DRAWS, "left": NOTHING, "right": DRAWS}
    assert before_each(PIPELINE, STEPS, known)["right"] == ("make",)


def test_before_a_first_run_nothing_is_known(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path, [Sketch("only", "x = 1", outputs=("x",))])
    pipeline = read_pipeline(folder / "pipeline.yaml")
    assert known_outcomes(pipeline, layout_of(folder, pipeline), pipeline.steps, RunOptions()) == {}
