"""Expectations on predictions before and after a change: counted row by row, closed when in doubt."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbmlops.core.errors import UsageError
from nbmlops.core.records import Expectation
from nbmlops.data.held_out.expectations import directional, invariance

BEFORE = pd.Series([0.1, 0.2, 0.3, 0.4], index=["a", "b", "c", "d"])
SHIFT = np.array([0.0, 0.005, -0.02, 0.5])
START = np.array([0.5, 0.25, 0.25, 0.0])


def test_rows_that_changed_are_counted_with_examples() -> None:
    found = invariance(BEFORE, BEFORE + SHIFT, 0.01, 0.25)
    assert found == Expectation(
        "invariance",
        "changes by at most 0.01",
        4,
        2,
        0.25,
        ("row c: 0.3 -> 0.28", "row d: 0.4 -> 0.9"),
    )
    assert not found
    assert str(found) == (
        "2 of 4 rows (50 %) (allowed: 25 %) broke 'changes by at most 0.01'; "
        "for example row c: 0.3 -> 0.28, row d: 0.4 -> 0.9"
    )
    assert invariance(BEFORE, BEFORE + SHIFT, 0.01, 0.5)


@pytest.mark.parametrize(
    ("towards", "by", "broken"),
    [("up", 0.0, 1), ("down", 0.0, 2), ("up", 0.05, 2), ("up", -0.1, 0), ("down", -0.2, 0), ("down", 0.1, 4)],
)
def test_rows_that_moved_the_other_way_are_counted(towards: str, by: float, broken: int) -> None:
    moved = START + np.array([0.125, 0.0625, 0.0, -0.0625])
    assert directional(START, moved, towards, by, 0.0).broken == broken


@pytest.mark.parametrize(
    ("towards", "by", "asked"),
    [
        ("up", 0.0, "does not go down"),
        ("down", 0.1, "goes down by at least 0.1"),
        ("up", -0.1, "does not go down by more than 0.1"),
    ],
)
def test_what_was_asked_is_told(towards: str, by: float, asked: str) -> None:
    assert directional(BEFORE, BEFORE, towards, by, 0.0).asked == asked


def test_nan_is_never_as_expected() -> None:
    gone = BEFORE.where(BEFORE > 0.1)
    assert invariance(gone, gone, 0.0, 0.0).broken == 1
    assert directional(gone, gone + 1, "up", 0.0, 0.0).broken == 1


def test_labels_and_rows_of_probabilities_are_compared_whole() -> None:
    labels = np.array(["late", "ok", "ok"], dtype=object)
    found = invariance(labels, labels[::-1], 0.0, 0.0)
    assert (found.broken, found.examples) == (2, ("row 0: late -> ok", "row 2: ok -> late"))
    both = np.array([[0.1, 0.9], [0.5, 0.5]])
    assert invariance(both, both + np.array([[0, 0], [0, 0.2]]), 0.1, 0.0).examples == (
        "row 1: [0.5, 0.5] -> [0.5, 0.7]",
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: invariance([], [], 0.0, 0.0), "there are no rows, so nothing is shown of them"),
        (
            lambda: invariance([1.0], [1.0, 2.0], 0.0, 0.0),
            "the predictions before and after have different shapes: (1,) and (2,)",
        ),
        (lambda: invariance(["a"], ["a"], 0.1, 0.0), "labels have no distance, so `within` says nothing of them"),
        (lambda: invariance([1.0], [1.0], -1.0, 0.0), "a distance is a finite number, 0 or more, but is -1.0"),
        (lambda: invariance([1.0], [1.0], 0.0, 1.0), "the share of rows that may break it lies between 0 and 1"),
        (lambda: directional([1.0], [1.0], "higher", 0.0, 0.0), "predictions move up or down, but not 'higher'"),
        (lambda: directional(["a"], ["a"], "up", 0.0, 0.0), "only numbers move up or down"),
        (lambda: directional([[1.0, 2.0]], [[1.0, 2.0]], "up", 0.0, 0.0), "only numbers move up or down"),
        (lambda: directional([1.0], [1.0], "up", float("nan"), 0.0), "a distance is a finite number"),
    ],
)
def test_what_says_nothing_is_refused(make, message: str) -> None:
    with pytest.raises(UsageError) as told:
        make()
    assert told.value.message.startswith(message)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["late", None, "early"], dtype=object),
        pd.Series(["late", np.nan, "early"]),
        pd.Series(["late", pd.NA, "early"], dtype="string"),
        pd.Series([1, pd.NA, 3], dtype="Int64"),
        pd.Series(pd.to_datetime(["2024-01-01", None, "2024-01-02"])),
    ],
)
def test_a_missing_label_is_never_as_expected(labels: object) -> None:
    assert invariance(labels, labels, 0.0, 0.0).broken == 1


def test_great_integers_are_told_apart() -> None:
    found = invariance(np.array([2**53, 1]), np.array([2**53 + 1, 1]), 0.0, 0.0)
    assert (found.rows, found.broken) == (2, 1)


def test_rows_without_values_show_nothing() -> None:
    with pytest.raises(UsageError, match="there are no rows"):
        invariance(np.empty((3, 0)), np.empty((3, 0)), 0.0, 0.0)


@pytest.mark.parametrize("by", [float("-inf"), float("inf"), float("nan")])
def test_a_distance_without_end_asks_for_nothing(by: float) -> None:
    with pytest.raises(UsageError, match="a distance is a finite number"):
        directional(BEFORE, BEFORE, "up", by, 0.0)
