from __future__ import annotations

import pytest
from msgspec.structs import replace

from nbmlops.pipeline.ir import Input, Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.executors.orders import Order
from nbmlops.runtime.executors.sweep_orders import are_apart, merged
from nbmlops.runtime.reuse.records import StepOutcome


def step(name: str, *parameters: str, **reads: str) -> Step:
    inputs = tuple(Input(value, maker) for value, maker in reads.items())
    return Step(name, name, StepMode.FUNCTION, "", (1,), (name,), inputs, (), (), parameters, (), (), "", "")


STEPS = (step("load", "seed"), step("train", "depth", rows="load"), step("plot", rows="load"), step("score", m="train"))
PIPELINE = Pipeline("p", "", "", "", "", {}, "", (), STEPS)


def orders(depth: int) -> list[Order]:
    needs = {"load": (), "train": ("load",), "plot": ("load",), "score": ("train",)}
    return [Order(name, name, before, "/r", "p", "0", (f"depth={depth}",), {}) for name, before in needs.items()]


def names(found: tuple[Order, ...]) -> list[str]:
    return [order.step for order in found]


def test_what_points_have_in_common_is_done_once() -> None:
    runs = [(orders(depth), {"depth": depth, "seed": 1}) for depth in (3, 5)]
    found, own = merged(PIPELINE, runs, apart=True)
    assert names(found) == ["load", "train", "plot", "score", "train", "score"]
    assert [order.arguments for order in found] == [("depth=3",)] * 4 + [("depth=5",)] * 2
    by_name = {order.name: order for order in found}
    assert [[by_name[name].step for name in run] for run in own] == [["load", "train", "plot", "score"]] * 2
    assert [own[0][at] == own[1][at] for at in range(4)] == [True, False, True, False]
    assert by_name[own[1][3]].needs == (own[1][1],)
    assert {order.follows for order in found} == {()}


def test_points_that_may_reach_each_other_follow_each_other() -> None:
    runs = [(orders(depth), {"depth": depth, "seed": 1}) for depth in (3, 5, 7)]
    found, own = merged(PIPELINE, runs, apart=False)
    follows = {order.name: order.follows for order in found}
    assert [follows[name] for name in own[0]] == [()] * 4
    assert [follows[name] for name in (own[1][1], own[2][3])] == [own[0], own[1]]


def test_a_step_that_reads_all_names_may_read_all_parameters() -> None:
    whole = replace(PIPELINE, steps=(replace(STEPS[0], whole=True), *STEPS[1:]))
    found, _ = merged(whole, [(orders(depth), {"depth": depth, "seed": 1}) for depth in (3, 5)], apart=True)
    assert len(found) == 8


@pytest.mark.parametrize(
    ("outcome", "apart"),
    [
        (StepOutcome(random_used=True), True),
        (StepOutcome(written=("model.pkl",)), False),
        (StepOutcome(altered=("log.txt",)), False),
        (StepOutcome(unkeyable="it reads from the network"), False),
        (StepOutcome(live=(LiveValue("g", "generator", "no"),)), False),
    ],
)
def test_points_are_apart_where_no_step_changes_a_file_or_cannot_be_repeated(
    outcome: StepOutcome, *, apart: bool
) -> None:
    known = dict.fromkeys(("load", "train", "plot"), StepOutcome())
    assert are_apart(STEPS, known | {"score": outcome}) == apart
    assert not are_apart(STEPS, known)
