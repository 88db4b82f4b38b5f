"""Where points come from: lists, and the real Optuna."""

from __future__ import annotations

import pytest

from nbmlops.app.sweep.plan import Method, Objective, SweepPlan
from nbmlops.app.sweep.samplers import Sampler, sampler_of
from nbmlops.app.sweep.space import Axis, Choices, Point, Range, draw, grid
from nbmlops.gate.policy import Direction

SPACE: dict[str, Axis] = {
    "depth": Range(1, 9, integral=True),
    "rate": Range(0.01, 1.0, log=True),
    "columns": Choices((["a"], ["a", "b"])),
}


def plan(method: Method, direction: Direction = Direction.LOWER) -> SweepPlan:
    return SweepPlan(SPACE, Objective("loss", direction), method=method, points=30, seed=5)


def loss(point: Point) -> float:
    depth, rate, columns = point["depth"], point["rate"], point["columns"]
    assert isinstance(depth, int)
    assert isinstance(rate, float)
    assert isinstance(columns, list)
    return (depth - 6) ** 2 + abs(rate - 0.1) * 10 + 3 * len(columns)


def tried(sampler: Sampler, sign: int = 1) -> list[Point]:
    points = []
    while (point := sampler.ask()) is not None:
        points.append(point)
        sampler.tell(None if len(points) == 3 else sign * loss(point))
    return points


def test_listed_points_come_in_their_order() -> None:
    assert tried(sampler_of(plan(Method.RANDOM))) == list(draw(SPACE, 30, 5))
    space = {"depth": SPACE["depth"], "columns": SPACE["columns"]}
    points = grid(space)
    sampler = sampler_of(SweepPlan(space, Objective("loss", Direction.LOWER)))
    assert [sampler.ask() for _ in range(19)] == [*points, None]


@pytest.mark.parametrize(("direction", "sign"), [(Direction.LOWER, 1), (Direction.HIGHER, -1)])
def test_optuna_learns_from_the_points_before_and_repeats_itself(direction: Direction, sign: int) -> None:
    points = tried(sampler_of(plan(Method.OPTUNA, direction)), sign)
    assert points == tried(sampler_of(plan(Method.OPTUNA, direction)), sign)
    assert len(points) == 30
    assert min(map(loss, points[15:])) < min(map(loss, points[:10]))
    for point in points:
        assert point.keys() == SPACE.keys()
        assert point["columns"] in (["a"], ["a", "b"])
