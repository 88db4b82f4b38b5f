"""How far columns moved, against what the data themselves say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from nbmlops.data.profiles.drift import drift_between
from nbmlops.data.profiles.profile import profile

N = 4000
RNG = np.random.default_rng(0)


def column(values: object) -> dict:
    (record,) = profile(pd.DataFrame({"x": values}))["columns"]
    return record


NUMBERS = {
    "the same": (RNG.normal(size=N), RNG.normal(size=N), "none"),
    "moved": (RNG.normal(size=N), RNG.normal(0.5, size=N), "some"),
    "wider": (RNG.normal(size=N), RNG.normal(0, 3, size=N), "strong"),
    "skewed": (RNG.lognormal(0, 2, N), RNG.lognormal(0.3, 2, N), "none"),
    "apart": (RNG.random(N), RNG.random(N) + 5, "strong"),
    "counts": (RNG.poisson(30, N), RNG.poisson(36, N), "strong"),
    "many zeros": (RNG.random(N) * (RNG.random(N) > 0.6), RNG.random(N) * (RNG.random(N) > 0.3), "strong"),
    "few values": (RNG.integers(0, 5, N), RNG.integers(1, 6, N), "strong"),
    "one value": (np.ones(N), np.ones(N), "none"),
    "another value": (np.ones(N), np.zeros(N), "strong"),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_the_distance_is_that_of_the_data(name: str) -> None:
    before, after, level = NUMBERS[name]
    drift = drift_between(column(before), column(after), (N, N))
    assert drift is not None
    assert abs(drift.distance - ks_2samp(before, after).statistic) < 0.04
    assert drift.level == level
    assert sum(drift.before) == pytest.approx(1)
    assert sum(drift.after) == pytest.approx(1)
    assert len(drift.before) == len(drift.after)


def test_values_that_are_counted() -> None:
    before = column(["a"] * 6 + ["b"] * 4)
    after = column(["a"] * 3 + ["b"] * 4 + ["c"] * 3)
    drift = drift_between(before, after, (10, 10))
    assert drift is not None
    assert drift.labels == ("a", "b", "c")
    assert (drift.before, drift.after) == ((0.6, 0.4, 0.0), (0.3, 0.4, 0.3))
    assert drift.distance == pytest.approx(0.3)


def test_what_one_side_does_not_tell_is_one_of_the_others() -> None:
    many = column([letter for number in range(26) for letter in [chr(97 + number)] * (30 - number)])
    few = column(["a"] * 5 + ["z"] * 5)
    drift = drift_between(many, few, (455, 10))
    assert drift is not None
    assert drift.labels == ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "others")
    assert drift.after == (0.5, *[0.0] * 9, 0.5)


def test_values_that_are_numbers_are_in_order() -> None:
    drift = drift_between(column([10, 2, 2]), column([10, 10, 2]), (3, 3))
    assert drift is not None
    assert drift.labels == ("2", "10")


def test_times() -> None:
    days = [column(pd.date_range(start, periods=100, freq="D")) for start in ("2024-01-01", "2024-02-20")]
    drift = drift_between(*days, (100, 100))
    assert drift is not None
    assert drift.distance == pytest.approx(0.5, abs=0.02)
    assert drift.labels == ("2024-01-01T00:00:00", "2024-05-29T00:00:00")


def test_what_the_profiles_do_not_tell_has_no_drift() -> None:
    assert drift_between(column(["a", "b"]), column(["a", "b"]), (2, 2)) is None
    assert drift_between(column([1.0, *range(2, 40)]), column(["a", "a"]), (39, 2)) is None
    assert drift_between(column(pd.Series([], dtype="float64")), column([1.0]), (0, 1)) is None


samples = st.lists(st.integers(-50, 50) | st.floats(-1e6, 1e6), min_size=1, max_size=60)


@settings(max_examples=80)
@given(before=samples, after=samples)
def test_the_measures_are_in_their_bounds(before: list, after: list) -> None:
    columns = [column(np.array(values, dtype=float)) for values in (before, after)]
    there = drift_between(columns[0], columns[1], (len(before), len(after)))
    same = drift_between(columns[0], columns[0], (len(before), len(before)))
    assert there is not None
    assert same is not None
    assert 0 <= there.distance <= 1
    assert there.stability >= 0
    assert (same.distance, same.stability) == (0, 0)
