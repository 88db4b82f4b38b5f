"""Differences of frames, series and indexes, for every kind of column."""

from typing import Any

import pandas as pd
import pytest

from nbmlops.data.compare.frames import frame_difference, index_difference, series_difference


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [
        ([1.0, None], [1.0, None], ""),
        ([1.0, None], [None, 1.0], ("2 of 2 rows differ, row 0: 1.0 in the notebook, nan in the pipeline; "
         "row 1: nan in the notebook, 1.0 in the pipeline")),
        (pd.array([1, None], dtype="Int64"), pd.array([1, 2], dtype="Int64"),
         "1 of 2 rows differ, row 1: <NA> in the notebook, 2 in the pipeline"),
        (pd.Categorical(["a", "b"]), pd.Categorical(["b", "b"], categories=["a", "b"]),
         "1 of 2 rows differ, row 0: 'a' in the notebook, 'b' in the pipeline"),
        (["a", None], ["a", "b"], "1 of 2 rows differ, row 1: nan in the notebook, 'b' in the pipeline"),
        (pd.to_datetime(["2024-01-01"]).tz_localize("UTC"), pd.to_datetime(["2024-01-02"]).tz_localize("UTC"),
         ("1 of 1 row differ, row 0: Timestamp('2024-01-01 00:00:00+0000', tz='UTC') in the notebook, "
         "Timestamp('2024-01-02 00:00:00+0000', tz='UTC') in the pipeline")),
        (pd.Series([[1], {"a": 1}], dtype=object), pd.Series([[1], {"a": 2}], dtype=object),
         "1 of 2 rows differ, row 1: {'a': 1} in the notebook, {'a': 2} in the pipeline"),
        ([1, 2], ["1", "2"], "type: int64 in the notebook, str in the pipeline"),
        ([1], [1, 2], "length: 1 in the notebook, 2 in the pipeline"),
    ],
)  # fmt: skip
def test_series(left: Any, right: Any, text: str) -> None:
    assert series_difference(pd.Series(left), pd.Series(right)) == text


def test_many_columns_and_rows_are_counted_and_a_few_are_shown() -> None:
    left = pd.DataFrame({f"c{n}": range(10) for n in range(7)})
    cells = "10 of 10 rows differ, row 0: 0 in the notebook, 1 in the pipeline; row 1: 1 in the notebook, "
    cells += "2 in the pipeline; row 2: 2 in the notebook, 3 in the pipeline"
    columns = "; ".join(f"column 'c{n}': {cells}" for n in range(5))
    assert frame_difference(left, left + 1) == f"{columns}; and 2 more columns"


def test_rows_without_unique_labels_are_only_counted() -> None:
    left = pd.DataFrame({"a": [1, 2]}, index=[0, 0])
    assert frame_difference(left, left.iloc[:1]) == "rows: 2 in the notebook, 1 in the pipeline"


def test_columns_of_one_name_are_compared_by_position() -> None:
    left = pd.DataFrame([[1, 2]], columns=["a", "a"])
    right = pd.DataFrame([[1, 3]], columns=["a", "a"])
    assert frame_difference(left, right) == "column 'a': 1 of 1 row differ, row 0: 2 in the notebook, 3 in the pipeline"


def test_indexes() -> None:
    months = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])
    other = pd.MultiIndex.from_tuples([("a", 1), ("b", 3)])
    assert index_difference(months, other) == (
        "1 of 2 rows differ, position 1: ('b', 2) in the notebook, ('b', 3) in the pipeline"
    )
    assert index_difference(pd.RangeIndex(2), pd.Index([0, 1])) == ""
    assert index_difference(pd.RangeIndex(2), pd.RangeIndex(3)) == "length: 2 in the notebook, 3 in the pipeline"
