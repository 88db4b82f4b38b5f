"""What differs between two values: whole texts, for each kind of value, as a person reads them."""

import sys
import types
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbmlops.data.compare.compare import difference, same_type

HOMES = frozenset({"__main__", "case"})


class Box:
    def __init__(self, **parts: object) -> None:
        self.__dict__.update(parts)


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y


FRAME = pd.DataFrame({"age": [1, 2, 3], "name": ["a", "b", "c"]}, index=["x", "y", "z"])


def changed(frame: pd.DataFrame, row: int, column: int, value: object) -> pd.DataFrame:
    copy = frame.copy()
    copy.iloc[row, column] = value
    return copy


CASES: list[tuple[object, object, str]] = [
    (1, 2, "1 in the notebook, 2 in the pipeline"),
    (1, 1.0, "type int in the notebook, float in the pipeline: 1 in the notebook, 1.0 in the pipeline"),
    (
        np.float64(0.5),
        0.5,
        (
            "type numpy.float64 in the notebook, float in the pipeline: 0.5 (numpy.float64) in the notebook, "
            "0.5 (float) in the pipeline"
        ),
    ),
    ("one\ntwo", "one\ntoo", "line 2: 'two' in the notebook, 'too' in the pipeline"),
    ({"a": 1}, {"a": 1, "b": 2}, "keys only in the pipeline: 'b'"),
    ({"a": 1, "b": 2}, {"b": 2}, "keys missing in the pipeline: 'a'"),
    (
        {"a": 1, "b": 2},
        {"b": 2, "a": 1},
        "keys in another order: ['a', 'b'] in the notebook, ['b', 'a'] in the pipeline",
    ),
    ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, "['a']['b'][1]: 2 in the notebook, 3 in the pipeline"),
    (
        {"a": 1, "b": 2, "c": 3},
        {"a": 0, "b": 0, "c": 0},
        "['a']: 1 in the notebook, 0 in the pipeline (and 2 more keys differ)",
    ),
    ([1, 2], [1, 2, 3], "length: 2 in the notebook, 3 in the pipeline"),
    (
        [1, 2],
        [0, 2, 3],
        "length: 2 in the notebook, 3 in the pipeline; first difference at [0]: 1 in the notebook, 0 in the pipeline",
    ),
    ({1, 2}, {2, 3}, "missing in the pipeline: 1; only in the pipeline: 3"),
    (Box(x=1, y=[1]), Box(x=1, y=[2]), ".y[0]: 1 in the notebook, 2 in the pipeline"),
    (Box(x=1), Box(x=1, z=2), "attributes only in the pipeline: z"),
    (Slotted(1, 2), Slotted(1, 3), ".y: 2 in the notebook, 3 in the pipeline"),
    (np.arange(4), np.arange(4.0), "element type: int64 in the notebook, float64 in the pipeline"),
    (np.zeros(4), np.zeros((2, 2)), "shape: (4,) in the notebook, (2, 2) in the pipeline"),
    (FRAME, FRAME.drop(columns="age"), "columns missing in the pipeline: 'age'"),
    (
        FRAME,
        FRAME[["name", "age"]],
        "columns in another order: 'age', 'name' in the notebook, 'name', 'age' in the pipeline",
    ),
    (
        FRAME,
        FRAME.astype({"age": "float64"}),
        "column 'age': type int64 in the notebook, float64 in the pipeline",
    ),
    (
        FRAME,
        FRAME.iloc[:2],
        "rows: 3 in the notebook, 2 in the pipeline; missing in the pipeline: row 'z'",
    ),
    (
        FRAME,
        changed(FRAME, 1, 0, 9),
        "column 'age': 1 of 3 rows differ, row 'y': 2 in the notebook, 9 in the pipeline",
    ),
    (
        {"df": FRAME},
        {"df": FRAME.rename(index={"x": "w"})},
        "['df']: index: 1 of 3 rows differ, position 0: 'x' in the notebook, 'w' in the pipeline",
    ),
    (FRAME["age"], FRAME["age"].rename("years"), "name: 'age' in the notebook, 'years' in the pipeline"),
    (
        np.random.RandomState(1),
        np.random.RandomState(2),
        (
            ".args[0].state[0]['state']['key']: 624 of 624 elements differ: [0] 1 in the notebook, 2 in the pipeline; "
            "[1] 1812433254 in the notebook, 3624866507 in the pipeline; [2] 3713160357 in the notebook, "
            "846688490 in the pipeline (and 1 more attribute differs)"
        ),
    ),
    (
        pd.Index([1, 2], name="a"),
        pd.Index([1, 2], name="b"),
        "names: ['a'] in the notebook, ['b'] in the pipeline",
    ),
]


@pytest.mark.parametrize(("left", "right", "text"), CASES, ids=[text[:60] for *_, text in CASES])
def test_the_first_difference_is_told_with_the_way_that_leads_to_it(left: Any, right: Any, text: str) -> None:
    assert difference(left, right, HOMES) == text


@pytest.mark.parametrize("value", [left for left, *_ in CASES], ids=lambda value: type(value).__name__)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert difference(value, value, HOMES) == ""


def test_cycles_end() -> None:
    left: list[Any] = [1]
    right: list[Any] = [1]
    left.append(left)
    right.append(right)
    left.append("x")
    right.append("y")
    assert difference(left, right, HOMES) == "[2]: 'x' in the notebook, 'y' in the pipeline"


def test_parts_that_are_one_object_on_one_side_only() -> None:
    one: list[int] = [1]
    assert difference([one, one], [[1], [1]], HOMES) == "[0] and [1] are one object in the notebook only"
    assert difference({"a": [1], "b": [1]}, {"a": one, "b": one}, HOMES) == (
        "['a'] and ['b'] are one object in the pipeline only"
    )
    assert difference(Box(a=one, b=one), Box(a=[1], b=[1]), HOMES) == "a and b are one object in the notebook only"


def test_classes_of_the_notebook_are_known_by_their_names() -> None:
    ours = types.new_class("Point", exec_body=lambda body: body.update(__module__="__main__", __qualname__="Point"))
    theirs = types.new_class(
        "Point", exec_body=lambda body: body.update(__module__="case.helpers", __qualname__="f.<locals>.Point")
    )
    other = types.new_class("Point", exec_body=lambda body: body.update(__module__="other", __qualname__="Point"))
    assert [same_type(ours, theirs, HOMES), same_type(ours, other, HOMES)] == [True, False]


class Lazy:
    def __init__(self, x: int) -> None:
        self.x = x

    @cached_property
    def double(self) -> int:
        return 2 * self.x


def test_what_reading_an_object_leaves_in_it_is_no_difference() -> None:
    read, unread, other = Lazy(1), Lazy(1), Lazy(2)
    assert read.double == 2
    assert difference(read, unread, HOMES) == ""
    assert difference(read, other, HOMES) == ".x: 1 in the notebook, 2 in the pipeline"


def test_values_of_a_library_that_nobody_loaded_need_no_import() -> None:
    before = set(sys.modules)
    assert difference([1], [2], HOMES) == "[0]: 1 in the notebook, 2 in the pipeline"
    assert set(sys.modules) == before
