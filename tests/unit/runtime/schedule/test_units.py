from __future__ import annotations

from collections.abc import Sequence

from nbmlops.pipeline.ir import Input, MetricSource, Pipeline, RegisterStage, Step, StepMode
from nbmlops.pipeline.run_record import JoinedSteps, LiveValue
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.schedule.units import joined_from, joined_steps, last_reader, read_at_the_end


def step(name: str, reads: Sequence[str] = (), writes: Sequence[str] = ()) -> Step:
    inputs = tuple(Input(read, "?") for read in reads)
    return Step(name, name, StepMode.FUNCTION, "", (), (), inputs, tuple(writes), (), (), (), (), "", "")


def pipeline(*steps: Step, metrics: tuple[MetricSource, ...] = (), register: RegisterStage | None = None) -> Pipeline:
    return Pipeline("p", "", "", "", "", {}, "", (), steps, metrics, None, register)


def live(*names: str) -> StepOutcome:
    return StepOutcome(live=tuple(LiveValue(name, "generator", "") for name in names))


CHAIN = pipeline(
    step("a", writes="gh"), step("b", reads="g"), step("c", reads="x"), step("d", reads="g", writes="k"), step("e", "k")
)


def test_a_value_lives_up_to_its_last_reader() -> None:
    assert last_reader(CHAIN, "a", ["g"]) == 3
    assert last_reader(CHAIN, "a", ["h"]) == 0
    assert last_reader(CHAIN, "b", ["g", "x"]) == 3
    assert last_reader(CHAIN, "a", []) == 0


def test_a_name_that_is_bound_anew_is_another_value() -> None:
    again = pipeline(step("a", writes="g"), step("b", writes="g"), step("c", reads="g"))
    changed = pipeline(step("a", writes="g"), step("b", reads="g", writes="g"), step("c", reads="g"))
    assert (last_reader(again, "a", "g"), last_reader(changed, "a", "g")) == (0, 2)


def test_a_unit_grows_by_what_its_steps_leave() -> None:
    value = LiveValue("g", "generator", "")
    assert joined_from(CHAIN, [live("g", "h")], 0) == JoinedSteps(("a", "b", "c", "d"), (value,))
    assert joined_from(CHAIN, [live("g"), live(), live("g")], 0) == JoinedSteps(("a", "b", "c", "d"), (value,))
    grown = joined_from(CHAIN, [live("g"), live(), live(), live("k")], 0)
    assert grown.steps == ("a", "b", "c", "d", "e")
    assert [value.name for value in grown.values] == ["g", "k"]
    assert joined_from(CHAIN, [live(), live()], 1) == JoinedSteps(("b",), ())


def test_the_units_of_a_run() -> None:
    outcomes = [live(), live("x"), live(), live("k"), live()]
    assert [joined.steps for joined in joined_steps(CHAIN, outcomes)] == [("b", "c"), ("d", "e")]
    assert joined_steps(CHAIN, [live("h")] * 5) == ()


def test_what_the_closing_stages_read_is_that_of_the_last_step_that_binds_it() -> None:
    register = RegisterStage(Input("model", "b"), Input("X", "a"), "wine")
    closing = pipeline(
        step("a", writes=["model", "X", "score"]),
        step("b", writes=["model"]),
        metrics=(MetricSource("auc", Input("score", "a")),),
        register=register,
    )
    assert read_at_the_end(closing, "a") == {"X", "score"}
    assert read_at_the_end(closing, "b") == {"X", "score", "model"}
    assert read_at_the_end(CHAIN, "a") == frozenset()
