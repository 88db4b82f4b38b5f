"""Slices by values, intervals and conditions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbmlops.data.held_out.slicing import MOST_SLICES, CannotSlice, rows_where, slices_of

COLUMNS = pd.DataFrame(
    {"port": ["b", "a", None, "b"], "miles": [5.0, np.nan, 20.0, 10.0], "late": [True, False, True, False]}
)


def listed(found) -> list[tuple[str, list[int]]]:
    return [(label, rows.tolist()) for label, rows in found]


def test_values_stand_in_their_order_and_missing_ones_last() -> None:
    assert listed(slices_of(COLUMNS, "port")) == [("port = a", [1]), ("port = b", [0, 3]), ("port is missing", [2])]


def test_numbers_are_ordered_as_numbers() -> None:
    frame = pd.DataFrame({"month": [10, 9, 2]})
    assert [label for label, _ in slices_of(frame, "month")] == ["month = 2", "month = 9", "month = 10"]


def test_intervals_hold_their_left_end() -> None:
    assert listed(slices_of(COLUMNS, "miles", [10.0, 20.0])) == [
        ("miles < 10", [0]),
        ("10 <= miles < 20", [3]),
        ("miles >= 20", [2]),
        ("miles is missing", [1]),
    ]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("miles >= 10", [2, 3]),
        ("port == 'b' and miles < 8", [0]),
        ("port in ['a', 'b'] or late == True", [0, 1, 2, 3]),
        ("not port == 'b'", [1, 2]),
        ("late == True", [0, 2]),
    ],
)
def test_conditions_choose_rows(text: str, rows: list[int]) -> None:
    assert rows_where(COLUMNS, text).tolist() == rows


def test_missing_values_of_nullable_columns_fulfil_no_comparison() -> None:
    frame = pd.DataFrame({"count": pd.array([1, None, 3], dtype="Int64")})
    assert rows_where(frame, "count > 0").tolist() == [0, 2]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rows_where(COLUMNS, "prot == 'b'"), "no column 'prot'; recorded: port, miles, late"),
        (lambda: rows_where(COLUMNS, "port > 3"), "compares values of different kinds"),
        (lambda: list(slices_of(COLUMNS, "gate")), "no column 'gate'"),
        (lambda: list(slices_of(COLUMNS, "port", [1.0])), "not made of numbers"),
        (lambda: list(slices_of(pd.DataFrame({"x": range(MOST_SLICES + 1)}), "x")), "501 values; give intervals"),
    ],
)
def test_what_cannot_be_cut_is_told(make, message: str) -> None:
    with pytest.raises(CannotSlice, match=message):
        make()


def test_values_that_look_alike_are_told_apart() -> None:
    columns = pd.DataFrame({"a": pd.Series([1, "1", 2], dtype=object)})
    assert [(label, rows.tolist()) for label, rows in slices_of(columns, "a")] == [
        ("a = 1", [0]),
        ("a = 2", [2]),
        ("a = '1'", [1]),
    ]
