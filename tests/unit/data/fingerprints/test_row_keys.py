"""Keys of rows: by their values alone, whatever holds them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nbmlops.data.fingerprints.row_keys import row_keys


def test_equal_rows_have_equal_keys_in_every_storage() -> None:
    frame = pd.DataFrame({"number": [1, 2, 1], "text": ["a", "b", "a"]})
    keys = row_keys(frame)
    assert keys[0] == keys[2] != keys[1]
    others = (
        frame.set_axis(["x", "y"], axis=1).set_index(pd.Index([7, 8, 9])),
        frame.astype({"number": "float32", "text": "category"}),
        pl.from_pandas(frame),
    )
    for other in others:
        assert (row_keys(other) == keys).all()


def test_arrays_and_series_have_rows_as_well() -> None:
    values = np.array([[1.0, 2.0], [3.0, np.nan]])
    assert (row_keys(values) == row_keys(pd.DataFrame(values))).all()
    assert (row_keys(pd.Series([1, 2])) == row_keys(np.array([1, 2]))).all()


def test_columns_are_told_apart() -> None:
    keys = row_keys(np.array([[1, 2], [2, 1]]))
    assert keys[0] != keys[1]


def test_more_dimensions_have_no_rows() -> None:
    with pytest.raises(ValueError, match="3 dimensions"):
        row_keys(np.zeros((2, 2, 2)))
