from __future__ import annotations

import json
import math
import types
import xml.dom

import pytest

from nbmlops.runtime.pickling import dumps, loads
from nbmlops.runtime.sharing import CannotStore, Walk


def test_sets_iterate_as_before_and_stay_one_object() -> None:
    value = set(range(0, 5000, 7)) - set(range(0, 4000, 21))
    again = loads(dumps([value, frozenset(value), value], [Walk([value, frozenset(value), value])]))
    assert [list(part) for part in again] == [list(value), list(frozenset(value)), list(value)]
    assert again[0] is again[2]
    assert [type(part) for part in again] == [set, frozenset, set]


def test_each_nan_is_the_object_that_it_was() -> None:
    one, other = float("nan"), float("nan")
    value = [one, one, other, math.nan, math.nan, {"a": one}]
    again = loads(dumps(value, [Walk(value)]))
    assert [math.isnan(number) for number in again[:5]] == [True] * 5
    assert [sum(a is b for b in again[:5]) for a in again[:5]] == [2, 2, 1, 2, 2]
    assert again[3] is math.nan  # noqa: PLW0177 - the object is meant
    assert again[5]["a"] is again[0]


def test_a_nan_of_two_names_is_one() -> None:
    nan = float("nan")
    again = loads(dumps({"x": nan, "y": [nan]}, [Walk(nan), Walk([nan])]))
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
    assert loads(dumps(value, [Walk(value)])) == value


def test_modules_are_stored_by_their_names() -> None:
    value = {"codec": json, "found": [json, xml.dom]}
    again = loads(dumps(value, [Walk(value)]))
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
    again = loads(dumps([value, value], [Walk([value, value])]))
    assert (type(again[0]), dict(again[0]), vars(again[0])) == (Bunch, dict(value), vars(value))
    assert again[0] is again[1]
    assert again[0].__dict__["note"] is again[0]["data"]
