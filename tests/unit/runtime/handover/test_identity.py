"""Which values are told apart by `is` although only their content can be stored."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from nbmlops.runtime.handover.identity import told_apart


class Holder:
    def __init__(self, held):
        self.held = held


@pytest.mark.parametrize(
    ("value", "kind"),
    [(1.5, "float"), (10**9, "int"), ("ab", "str"), ((1, 2), "tuple"), (frozenset([1]), "frozenset"), (2j, "complex"),
     (dt.date(2020, 1, 2), "date"), ([[{"a": 0.5}]], "float"), ({(1, 2): 3}, "tuple"), (Holder([b"ab"]), "bytes")],
)  # fmt: skip
def test_values_that_python_may_share(value, kind):
    assert told_apart(value) == f"code compares by `is` what it holds, and of a {kind} only the content can be stored"


@pytest.mark.parametrize("value", [np.ones(3), [{"a": np.ones(3)[1:]}]])
def test_arrays_which_are_views_of_others(value):
    assert told_apart(value).startswith("code asks which array it is a view of")


def test_other_values():
    circle = [1, 2]
    circle.append(circle)
    values = [None, True, 7, "a", "", (), [], {"name": 1}, int, object(), Holder(None), circle, {1: [2]}]
    assert [told_apart(value) for value in values] == [""] * len(values)
