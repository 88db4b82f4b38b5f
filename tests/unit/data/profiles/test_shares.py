"""The curve of a column, read back from its profile."""

import numpy as np
import pandas as pd
import pytest

from nbmlops.data.profiles.profile import profile
from nbmlops.data.profiles.shares import Curve, curve_of, is_complete, number_of, shares_of


def column(values: object) -> dict:
    (record,) = profile(pd.DataFrame({"x": values}))["columns"]
    return record


def test_a_curve_says_which_share_is_below_a_value() -> None:
    curve = Curve((0.0, 10.0, 10.0, 20.0), (0.0, 0.25, 0.75, 1.0))
    assert [curve(at) for at in (-1, 0, 5, 10, 15, 20, 21)] == [0.0, 0.0, 0.125, 0.75, 0.875, 1.0, 1.0]
    assert [curve.below(at) for at in (-1, 0, 5, 10, 15, 20, 21)] == [0.0, 0.0, 0.125, 0.25, 0.875, 1.0, 1.0]


def test_the_curve_of_a_column_is_near_to_the_true_one() -> None:
    values = np.random.default_rng(0).lognormal(0, 1, 5000)
    curve = curve_of(column(values))
    assert curve is not None
    assert max(abs(curve(at) - (values <= at).mean()) for at in np.linspace(0, 10, 50)) < 0.05


def test_a_column_of_one_value_is_a_step() -> None:
    assert curve_of(column([3, 3])) == Curve((3.0, 3.0), (0.0, 1.0))


def test_times_and_durations_have_curves_and_texts_have_none() -> None:
    days = curve_of(column(pd.to_datetime(["2024-01-01", "2024-01-03"])))
    hours = curve_of(column(pd.to_timedelta([-1, 3], unit="h")))
    assert days is not None
    assert hours is not None
    assert (days.places[0], days.places[-1]) == (1704067200.0, 1704240000.0)
    assert (hours.places[0], hours.places[-1]) == (-3600.0, 10800.0)
    assert curve_of(column(["a", "a"])) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1.0), (True, None), (None, None), ("a", None), ("1970-01-01T00:00:01+00:00", 1.0), ("P1DT0H0M0.5S", 86400.5)],
)
def test_numbers_of_facts(value: object, number: float | None) -> None:
    assert number_of(value) == number


def test_shares_of_frequent_values() -> None:
    texts = column(["a", "a", "a", "b", None])
    assert shares_of(texts, 5) == {"a": 0.75}
    assert not is_complete(texts)
    assert shares_of(column([1, 1, 2]), 3) == {"1": 2 / 3, "2": 1 / 3}
    assert is_complete(column([1, 1, 2]))
    assert shares_of(column(["a", "b"]), 2) is None
