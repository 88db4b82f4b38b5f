import json

import numpy as np
import pandas as pd
import pyarrow as pa

from nbmlops.data.profiles.profile import MAX_COLUMNS, profile


def column(values: object, dtype: object = None) -> dict:
    (record,) = profile(pd.DataFrame({"x": pd.Series(values, dtype=dtype)}))["columns"]
    return record


QUANTILES = ["0.01", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99"]


def test_numbers() -> None:
    assert column([*range(1, 101), None, np.inf]) == {
        "name": "x",
        "dtype": "float64",
        "nulls": 1,
        "infinite": 1,
        "distinct": 100,
        "min": 1.0,
        "max": 100.0,
        "mean": 50.5,
        "std": 28.8660700477,
        "quantiles": dict(zip(QUANTILES, [2.0, 6.0, 11.0, 26.0, 51.0, 76.0, 91.0, 96.0, 100.0], strict=True)),
        "histogram": [5] * 20,
    }


def test_integers_are_exact_and_repeated_ones_are_counted() -> None:
    big = 2**62 + 1
    assert column([3, 3, 3, big, None, 5, 5], "Int64") == {
        "name": "x",
        "dtype": "Int64",
        "nulls": 1,
        "infinite": 0,
        "distinct": 3,
        "min": 3,
        "max": big,
        "mean": 7.68614336405e17,
        "std": 1.71867390468e18,
        "quantiles": dict(zip(QUANTILES, [3, 3, 3, 3, 5, 5, big, big, big], strict=True)),
        "histogram": [5, *[0] * 18, 1],
        "top": [[3, 3], [5, 2], [big, 1]],
    }


def test_texts_truth_values_and_categories() -> None:
    assert column(["b", "a", "b", "a", "c", None, "d" * 100]) == {
        "name": "x", "dtype": "str", "nulls": 1, "distinct": 4,
        "top": [["a", 2], ["b", 2]],
    }  # fmt: skip
    assert column([True, False, True]) == {
        "name": "x", "dtype": "bool", "nulls": 0, "distinct": 2, "top": [["True", 2], ["False", 1]],
    }  # fmt: skip
    assert column(["a", "a", None], pd.CategoricalDtype(["a", "unused"])) == {
        "name": "x", "dtype": "category", "nulls": 1, "distinct": 1, "top": [["a", 2]],
    }  # fmt: skip


def test_texts_that_never_repeat_have_no_top() -> None:
    assert column(list("abc")) == {"name": "x", "dtype": "str", "nulls": 0, "distinct": 3}


def test_ties_beyond_counting_are_left_out() -> None:
    values = ["often"] * 3 + [f"{number:04}" for number in range(2000)] * 2
    assert column(values)["top"] == [["often", 3]]


def test_times() -> None:
    days = pd.Series(pd.date_range("2024-01-01", periods=20, freq="D", tz="Europe/Paris"))
    expected = {
        "name": "x", "dtype": "datetime64[us, Europe/Paris]", "nulls": 0, "distinct": 20,
        "min": "2024-01-01T00:00:00+01:00", "max": "2024-01-20T00:00:00+01:00", "histogram": [1] * 20,
    }  # fmt: skip
    assert column(days.dt.as_unit("us")) == expected
    assert column(pd.to_timedelta([1, 1, 2], unit="h")) == {
        "name": "x", "dtype": "timedelta64[us]", "nulls": 0, "distinct": 2,
        "min": "P0DT1H0M0S", "max": "P0DT2H0M0S", "histogram": [2, *[0] * 18, 1],
    } | {"dtype": str(pd.to_timedelta([1], unit="h").dtype)}  # fmt: skip
    arrow = column(pd.to_datetime(["2024-01-01", None]), pd.ArrowDtype(pa.timestamp("us")))
    assert (arrow["nulls"], arrow["min"], arrow["histogram"]) == (1, "2024-01-01T00:00:00", [])


def test_columns_without_values_or_with_values_without_hash() -> None:
    assert column([None, None], "float64") == {
        "name": "x", "dtype": "float64", "nulls": 2, "infinite": 0, "distinct": 0,
    }  # fmt: skip
    assert column([], "datetime64[us]") == {"name": "x", "dtype": "datetime64[us]", "nulls": 0, "distinct": 0}
    assert column([[1], {"a": 1}], object) == {"name": "x", "dtype": "object", "nulls": 0, "types": ["dict", "list"]}


def test_wide_frames_are_bounded_and_names_work_by_position() -> None:
    wide = profile(pd.DataFrame(np.zeros((2, MAX_COLUMNS + 3))))
    assert (len(wide["columns"]), wide["columns_left_out"]) == (MAX_COLUMNS, 3)
    twice = profile(pd.DataFrame([[1, "a"]], columns=["x", "x"]))
    assert [record["dtype"] for record in twice["columns"]] == ["int64", "str"]


def test_a_profile_does_not_depend_on_the_order_of_rows_and_is_json() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"f": rng.standard_normal(1000), "s": rng.choice(list("abcdefghijklmnop"), 1000)})
    expected = json.dumps(profile(frame), allow_nan=False)
    assert json.dumps(profile(frame.sample(frac=1, random_state=0))) == expected
