"""Predictions on held-out rows: kept and read again, paired by the identity of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbmlops.core.errors import UsageError
from nbmlops.data.fingerprints.row_keys import row_keys
from nbmlops.data.held_out.held_out import CannotPair, HeldOut, from_parquet, paired_places, to_parquet


def held(rows: list[int], truth: list[int] | None = None) -> HeldOut:
    frame = pd.DataFrame({"id": rows})
    known = np.array(truth or [row % 2 for row in rows])
    return HeldOut(row_keys(frame), known, np.array(rows) / 10, frame, 0.5, ("id",), {"a": 1.0})


def test_a_file_gives_back_what_it_was_made_of() -> None:
    one = held([3, 1, 2])
    again = from_parquet(to_parquet(one))
    assert (again.keys == one.keys).all()
    assert (again.truth == one.truth).all()
    assert (again.prediction == one.prediction).all()
    pd.testing.assert_frame_equal(again.columns, one.columns)
    assert (again.threshold, again.features, again.facts) == (0.5, ("id",), {"a": 1.0})
    assert to_parquet(one) == to_parquet(again)


def test_labels_and_columns_of_texts_are_kept() -> None:
    columns = pd.DataFrame({"port": pd.Categorical(["a", None]), "when": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    one = HeldOut(
        np.array([1, 2], dtype=np.uint64), np.array(["x", "y"], object), np.array(["y", "y"], object), columns
    )
    again = from_parquet(to_parquet(one))
    assert again.truth.tolist() == ["x", "y"]
    assert again.prediction.tolist() == ["y", "y"]
    assert again.columns["port"].astype(object).tolist()[0] == "a"
    assert again.columns["when"].tolist() == columns["when"].tolist()


@pytest.mark.parametrize("data", [b"", b"PAR1", b"x" * 100])
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="no file of predictions"):
        from_parquet(data)


def test_rows_are_paired_whatever_their_order() -> None:
    one, other = held([1, 2, 3]), held([3, 1, 2])
    ours, theirs = paired_places(one, other)
    assert (one.keys[ours] == other.keys[theirs]).all()
    assert (one.truth[ours] == other.truth[theirs]).all()


def test_equal_rows_with_unequal_truth_are_paired_by_their_truth() -> None:
    one, other = held([1, 1, 2], [0, 1, 1]), held([2, 1, 1], [1, 1, 0])
    ours, theirs = paired_places(one, other)
    assert (one.truth[ours] == other.truth[theirs]).all()


def test_other_rows_are_refused() -> None:
    with pytest.raises(CannotPair, match="not about the same rows: 3 rows here, 3 there, 2 different ones in common"):
        paired_places(held([1, 2, 3]), held([2, 3, 4]))


def test_another_truth_is_refused() -> None:
    with pytest.raises(CannotPair, match="do not agree on what is true: 1 of 2 rows differ"):
        paired_places(held([1, 2], [0, 1]), held([1, 2], [0, 0]))
