from __future__ import annotations

import math
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from nbmlops.gate.baseline import NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.policy import Policy, Rule
from nbmlops.gate.suggest import rule_to_paste


def test_a_metric_of_known_direction_is_preferred_and_lower_ones_get_a_maximum() -> None:
    assert rule_to_paste({"aaa": 3.0, "rmse": 2.345, "zzz": 1.0}).splitlines()[2:] == [
        "[[gate.rules]]",
        'name = "rmse is good enough"',
        'metric = "rmse"',
        "max = 2.4",
    ]


def test_without_a_usable_metric_logging_one_is_the_advice() -> None:
    advice = "log a metric first (`%mlops metric auc`), then add a rule on it to nbmlops.toml"
    assert rule_to_paste({}) == advice
    assert rule_to_paste({"auc": math.nan, "name": "x"}) == advice


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.floats(allow_nan=False, allow_infinity=False))
def test_the_pasted_rule_is_toml_that_this_run_passes(name: str, value: float) -> None:
    text = rule_to_paste({name: value}).split("\n\n", 1)[1]
    (table,) = tomllib.loads(text)["gate"]["rules"]
    verdict = evaluate({name: value}, NoChampion(), Policy((Rule(**table),)))
    assert verdict.passed or not name.strip()
