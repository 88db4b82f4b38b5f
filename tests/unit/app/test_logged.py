import datetime as dt
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from nbmlops.app.logged import checked_name, metric_step, metric_value, plain_value
from nbmlops.core.errors import UsageError


@pytest.mark.parametrize("name", ["auc", "auc/EWR", "test auc", "f1-score", "a:b", "größe", "x" * 250])
def test_names_that_stores_take(name: object):
    assert checked_name(name, "metric") == name


@pytest.mark.parametrize("name", ["", "/a", "../a", "a//b", "a\nb", "<b>", "a=1", "x" * 251, None, 3, "."])
def test_names_that_stores_refuse(name: object):
    with pytest.raises(UsageError, match=r"cannot be the name of a metric|the name of a metric is a text"):
        checked_name(name, "metric")


@pytest.mark.parametrize(
    ("value", "expected"), [(1, 1.0), (True, 1.0), (np.float32(0.5), 0.5), (np.array(2), 2.0), (Fraction(1, 4), 0.25)]
)
def test_metrics_are_numbers(value: object, expected: object):
    assert metric_value("auc", value) == expected


def test_nan_and_infinity_are_values():
    assert math.isnan(metric_value("auc", float("nan")))
    assert metric_value("auc", np.inf) == math.inf


@pytest.mark.parametrize("value", ["0.8", b"1", None, [1], np.array([1, 2]), object])
def test_other_things_are_no_metrics(value: object):
    with pytest.raises(UsageError, match="metric 'auc' is a number, but this is"):
        metric_value("auc", value)


def test_long_values_are_cut_in_messages():
    with pytest.raises(UsageError) as caught:
        metric_value("auc", list(range(1000)))
    assert len(caught.value.message) < 150


@pytest.mark.parametrize("step", [True, 1.0, "1", None])
def test_steps_are_whole_numbers(step: object):
    assert metric_step("auc", 3) == 3
    with pytest.raises(UsageError, match="the step of metric 'auc' is a whole number"):
        metric_step("auc", step)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float64(0.1), 0.1),
        (np.bool_(True), True),
        ((1, 2), [1, 2]),
        ({"a": np.arange(2)}, {"a": [0, 1]}),
        (Path("a/b"), "a/b"),
        (dt.date(2013, 1, 31), "2013-01-31"),
        (None, None),
    ],
)
def test_parameters_become_plain_values(value: object, expected: object):
    assert plain_value("p", value) == expected


def test_parameters_that_are_no_plain_values():
    with pytest.raises(UsageError, match="parameter 'p' cannot be logged: <object"):
        plain_value("p", object())
