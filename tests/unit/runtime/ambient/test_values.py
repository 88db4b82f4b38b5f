"""Values of settings: there and back, what they are known by, and what cannot be stored."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from nbmlops.runtime.ambient.values import Form, Item, item_of, value_of

SHARED = 3


@pytest.mark.parametrize("value", [None, True, 5, 1.5, "a", [1, (2, "x")], {"a": {"b": b"c"}}])
def test_plain_values_are_texts(value: object) -> None:
    item = item_of(value, "case")
    assert item.form is Form.PLAIN
    assert item == Item(Form.PLAIN, item.body, item.body)
    assert value_of(item) == value


def test_values_that_pickle() -> None:
    item = item_of("{:,.2f}".format, "case")
    assert item.form is Form.PICKLE
    assert value_of(item)(1234.5) == "1,234.50"
    assert item_of("{:,.2f}".format, "case") == item
    assert item_of("{:,.3f}".format, "case").identity != item.identity


def functions() -> list[Callable[..., Any]]:
    def named(x: float, /, digits: int = 1, *, sign: str = "+") -> str:
        return sign + str(round(x, digits))

    return [lambda x: f"{x:.2f}", lambda x: math.floor(x) + 1, named, lambda xs: [len(str(x)) for x in [xs]]]


@pytest.mark.parametrize("number", range(4))
def test_functions_that_need_nothing_else_travel_with_their_code(number: int) -> None:
    function = functions()[number]
    item = item_of(function, "case")
    assert item.form is Form.PICKLE
    made = value_of(item)
    assert made is not function
    assert made(12.345) == function(12.345)
    assert item_of(functions()[number], "case") == item
    assert value_of(item_of({"float": function}, "case"))["float"](1.5) == function(1.5)
    assert len({item_of(other, "case").identity for other in functions()}) == 4


def test_functions_of_modules_are_found_by_their_names() -> None:
    assert value_of(item_of(math.floor, "case")) is math.floor
    assert value_of(item_of(functions, "case")) is functions


def test_functions_over_variables_cannot_be_stored() -> None:
    digits = 2
    closure, over_global = (lambda x: round(x, digits)), (lambda x: x * SHARED)
    for function, variable in ((closure, "variables of the code around it"), (over_global, "the variable 'SHARED'")):
        item = item_of(function, "case")
        assert (item.form, item.held) == (Form.UNSTORABLE, function)
        assert item.body == f"the function '<lambda>' uses {variable}"
        assert item_of(function, "case") == item
    assert item_of(closure, "case") != item_of(lambda x: round(x, digits), "case")
