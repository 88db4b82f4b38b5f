"""The points of a sweep, compared whole."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from nbmlops.app.sweep.space import Axis, Choices, Range, draw, grid, is_listed, listed, size


def test_a_grid_has_every_combination_the_last_parameter_changing_fastest() -> None:
    space = {"depth": Choices((3, 5)), "rate": Range(0.1, 0.3, step=0.1), "name": Choices(("a",))}
    assert grid(space) == tuple({"depth": d, "rate": r, "name": "a"} for d in (3, 5) for r in (0.1, 0.2, 0.3))
    assert size(space) == 6


def test_a_range_of_whole_numbers_is_counted_up_to_its_end() -> None:
    assert listed(Range(1, 4, integral=True)) == (1, 2, 3, 4)
    assert listed(Range(10, 31, step=10, integral=True)) == (10, 20, 30)
    assert all(type(value) is int for value in listed(Range(1, 4, integral=True)))


def test_a_range_without_a_step_has_no_end_of_points() -> None:
    space = {"rate": Range(0.1, 0.3), "depth": Choices((1,))}
    assert not is_listed(space["rate"])
    assert size(space) is None


def test_drawn_points_are_all_there_are_when_more_are_wanted() -> None:
    space: dict[str, Axis] = {"depth": Choices((1, 2)), "columns": Choices((["a"], ["a", "b"]))}
    drawn = draw(space, 20, seed=1)
    assert sorted(map(json.dumps, drawn)) == sorted(map(json.dumps, grid(space)))


_AXES = st.one_of(
    st.lists(st.integers(), min_size=1, max_size=5, unique=True).map(lambda values: Choices(tuple(values))),
    st.tuples(st.integers(1, 100), st.integers(1, 100)).map(lambda ends: Range(ends[0], sum(ends), integral=True)),
    st.tuples(st.floats(1e-6, 1e3), st.floats(0.1, 1e3), st.booleans()).map(
        lambda ends: Range(ends[0], ends[0] + ends[1], log=ends[2])
    ),
    st.tuples(st.integers(1, 100), st.integers(1, 100)).map(
        lambda ends: Range(ends[0], sum(ends), log=True, integral=True)
    ),
)


@given(space=st.dictionaries(st.sampled_from("abc"), _AXES, min_size=1), points=st.integers(1, 12), seed=st.integers(0))
def test_drawn_points_are_different_inside_their_axes_and_the_same_for_the_same_seed(
    space: dict[str, Axis], points: int, seed: int
) -> None:
    drawn = draw(space, points, seed)
    assert drawn == draw(space, points, seed)
    assert len({json.dumps(point) for point in drawn}) == len(drawn) <= points
    for point in drawn:
        assert point.keys() == space.keys()
        for name, axis in space.items():
            value = point[name]
            if isinstance(axis, Choices):
                assert value in axis.values
            else:
                assert isinstance(value, int if axis.integral else float)
                assert axis.low <= value <= axis.high
