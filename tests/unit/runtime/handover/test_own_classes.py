"""What the user's own classes do to objects that are stored, told from what libraries' classes do."""

from __future__ import annotations

import copyreg
import dataclasses
import json
import threading
import typing

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from nbmlops.runtime.handover.own_classes import bound_by_class, is_users_class


def _cls(name, **members):
    return type(name, members.pop("bases", ()), members)


def _own(*_given):
    """Stands for any method of the user's."""


@pytest.mark.parametrize(
    "method", ["__reduce_ex__", "__reduce__", "__getstate__", "__setstate__", "__getnewargs_ex__", "__getnewargs__"]
)
def test_a_class_that_says_how_it_is_pickled_keeps_its_objects_in_the_process(method):
    own = _cls("Own", **{method: _own})
    assert bound_by_class(own) == f"its class says by `{method}` what is kept of it"
    assert bound_by_class(_cls("Heir", bases=(own,))) == bound_by_class(own)


def test_a_class_whose_objects_do_something_when_they_go():
    assert bound_by_class(_cls("Own", __del__=_own)) == "its class does something when it goes (`__del__`)"


def test_a_function_of_copyreg():
    class Money:
        pass

    copyreg.pickle(Money, _own)
    try:
        assert bound_by_class(Money) == "`copyreg` has a function for what is kept of it"
    finally:
        del copyreg.dispatch_table[Money]


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: int


class Named(typing.NamedTuple):
    x: int


class Fitted(LinearRegression):
    pass


class Unhashable(type):
    __hash__ = None

    def __eq__(cls, other):
        return cls is other


@pytest.mark.parametrize(
    "kind",
    [int, dict, threading.Lock, json.JSONDecoder, np.ndarray, pd.DataFrame, LinearRegression, Point, Named, Fitted,
     Unhashable, Unhashable("Odd", (), {}), ValueError],
)  # fmt: skip
def test_what_libraries_and_generated_code_say_is_no_concern(kind):
    assert bound_by_class(kind) == ""


def test_whose_class_it_is():
    assert [is_users_class(kind) for kind in (Point, Fitted, int, pd.DataFrame, LinearRegression)] == [
        True, True, False, False, False,
    ]  # fmt: skip
