from __future__ import annotations

import gc
import io
import json
import math
import types
import weakref
import xml.dom
from typing import Any

import numpy as np
import pytest

from nbmlops.runtime.handover.pickling import dumps, load
from nbmlops.runtime.handover.sharing import CannotStore, Walk


def again_from(value: object, walks: list[Walk]) -> Any:
    """Returns what comes back of the value."""
    return load(io.BytesIO(b"".join(dumps(value, walks))))


def test_sets_iterate_as_before_and_stay_one_object() -> None:
    value = set(range(0, 5000, 7)) - set(range(0, 4000, 21))
    again = again_from([value, frozenset(value), value], [Walk([value, frozenset(value), value])])
    assert [list(part) for part in again] == [list(value), list(frozenset(value)), list(value)]
    assert again[0] is again[2]
    assert [type(part) for part in again] == [set, frozenset, set]


def test_each_nan_is_the_object_that_it_was() -> None:
    one, other = float("nan"), float("nan")
    value = [one, one, other, math.nan, math.nan, {"a": one}]
    again = again_from(value, [Walk(value)])
    assert [math.isnan(number) for number in again[:5]] == [True] * 5
    assert [sum(a is b for b in again[:5]) for a in again[:5]] == [2, 2, 1, 2, 2]
    assert again[3] is math.nan  # noqa: PLW0177 - the object is meant
    assert again[5]["a"] is again[0]


def test_a_nan_of_two_names_is_one() -> None:
    nan = float("nan")
    again = again_from({"x": nan, "y": [nan]}, [Walk(nan), Walk([nan])])
    assert again["x"] is again["y"][0]


def test_a_set_whose_order_cannot_be_kept_is_refused() -> None:
    class Fickle:
        """Hashes differently each time it is asked."""

        def __init__(self) -> None:
            self.count = 0

        def __hash__(self) -> int:
            self.count += 1
            return hash((id(self), self.count))

    value = {Fickle() for _ in range(100)}
    with pytest.raises(CannotStore, match="a set whose order of iteration cannot be kept"):
        dumps(value, [Walk({1})])


def test_sets_of_texts_and_empty_ones_are_kept() -> None:
    value = {"k": {"b", "a", "c"}, "empty": set(), "nested": {frozenset({1, 2})}}
    assert again_from(value, [Walk(value)]) == value


def test_modules_are_stored_by_their_names() -> None:
    value = {"codec": json, "found": [json, xml.dom]}
    again = again_from(value, [Walk(value)])
    assert again == value
    assert again["codec"] is json


def test_a_module_that_no_import_gives_is_refused() -> None:
    with pytest.raises(CannotStore, match="cannot pickle 'module' object"):
        Walk([types.ModuleType("made")])


def test_objects_that_break_while_pickling_are_refused() -> None:
    class Broken:
        def __reduce__(self) -> str:
            raise ValueError("no")

    with pytest.raises(CannotStore, match=r"^no$"):
        dumps([Broken(), {1}], [])


def test_a_bunch_keeps_its_attributes() -> None:
    from sklearn.utils import Bunch

    value = Bunch(data=[1], names={"a"})
    value.__dict__["note"] = value.data
    again = again_from([value, value], [Walk([value, value])])
    assert (type(again[0]), dict(again[0]), vars(again[0])) == (Bunch, dict(value), vars(value))
    assert again[0] is again[1]
    assert again[0].__dict__["note"] is again[0]["data"]


def test_arrays_and_long_texts_are_not_copied() -> None:
    grid = np.asfortranarray(np.arange(90_000.0).reshape(300, 300))
    value = {"grid": grid, "text": "x" * 100_000, "bytes": b"y" * 100_000, "short": ["a", 1]}

    parts = dumps(value, [Walk(value)])

    large = [part for part in parts if len(part) > 10_000]
    assert [len(part) for part in large] == [720_000, 100_000, 100_000]
    assert np.shares_memory(np.frombuffer(large[0], np.uint8), grid)
    again = load(io.BytesIO(b"".join(parts)))
    np.testing.assert_array_equal(again.pop("grid"), value.pop("grid"))
    assert again == value


def test_memory_that_arrays_share_is_not_copied_and_shared_again() -> None:
    grid = np.arange(40_000.0).reshape(200, 200)
    value = [grid, grid[::2, 3], grid.reshape(-1)[7:]]

    parts = dumps(value, [Walk(value)])

    assert [len(part) for part in parts if len(part) > 10_000] == [grid.nbytes]
    again = load(io.BytesIO(b"".join(parts)))
    again[0][2, 3] = -1.0
    assert (again[1][1], again[2][403 - 7], [part.strides for part in again]) == (
        -1.0,
        -1.0,
        [p.strides for p in value],
    )


@pytest.mark.parametrize("sets", [[], [{1}]])
def test_what_was_pickled_lives_no_longer_than_its_parts(sets: list[set[int]]) -> None:
    value = [np.arange(3), sets]
    alive = weakref.ref(value[0])
    gc.disable()
    try:
        parts = dumps(value, [Walk(value)])
        del value
        assert alive() is not None
        del parts
        assert alive() is None
    finally:
        gc.enable()
