from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbmlops.gate.baseline import Baseline, Champion, NoChampion, UnreadableChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.policy import Direction, Policy, Rule
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict, verdict_bytes

NO_CHAMPION = NoChampion()
FLOOR = Rule("floor", "auc", min=0.7, reason="the desk ignores it")
RELATIVE = Rule("not worse", "auc", baseline="champion", max_drop=0.1)
finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.sampled_from(["auc", "rmse", "lift", "f1"])
rules = st.builds(
    Rule,
    name=st.text(min_size=1, max_size=5),
    metric=names,
    min=st.none() | st.floats(),
    max=st.none() | st.floats(),
    baseline=st.sampled_from(["", "champion"]),
    max_drop=st.none() | finite,
    max_drop_percent=st.none() | finite,
    direction=st.none() | st.sampled_from(Direction),
)
policies = st.builds(Policy, st.lists(rules, max_size=4).map(tuple))
values = st.floats() | st.integers() | st.booleans() | st.none() | st.text(max_size=3)
metric_sets = st.dictionaries(names, values)
baselines = (
    st.just(NoChampion())
    | st.builds(Champion, st.just("m"), st.just("1"), st.dictionaries(names, st.floats()))
    | st.builds(UnreadableChampion, st.just("server gone"))
)


def judge(metrics: dict[str, object], rule: Rule, baseline: Baseline = NO_CHAMPION) -> RuleResult:
    verdict = evaluate(metrics, baseline, Policy((rule,)))
    assert verdict.passed is (verdict.results[0].outcome is not Outcome.FAIL)
    return verdict.results[0]


@pytest.mark.parametrize("value", [0.7, 0.70001, 1, np.float32(0.75), np.float64(0.7), np.int64(1)])
def test_values_at_or_above_the_floor_pass(value: object) -> None:
    expected = RuleResult("floor", "auc", float(value), ">= 0.7", None, Outcome.PASS)
    assert judge({"auc": value}, FLOOR) == expected


def test_a_value_below_the_floor_fails_with_the_users_reason() -> None:
    expected = RuleResult("floor", "auc", 0.69, ">= 0.7", None, Outcome.FAIL, "0.69 is below 0.7 (the desk ignores it)")
    assert judge({"auc": 0.69}, FLOOR) == expected


def test_a_value_that_looks_equal_is_told_apart() -> None:
    assert judge({"auc": 0.69999999}, FLOOR).reason == "0.69999999 is below 0.7 (the desk ignores it)"


@pytest.mark.parametrize(
    ("value", "shown", "reason"),
    [
        (math.nan, math.nan, "auc is NaN"),
        (math.inf, math.inf, "auc is infinite"),
        (10**400, math.inf, "auc is infinite"),
        ("0.9", None, "auc is of type str, not a number"),
        (True, None, "auc is of type bool, not a number"),
        (None, None, "auc is of type NoneType, not a number"),
        (Decimal("0.9"), None, "auc is of type Decimal, not a number"),
    ],
)
def test_what_is_no_finite_number_fails(value: object, shown: float | None, reason: str) -> None:
    result = judge({"auc": value}, Rule("floor", "auc", min=0.0))
    assert (result.outcome, result.reason) == (Outcome.FAIL, reason)
    assert repr(result.value) == repr(shown)


def test_a_metric_that_was_never_logged_fails_and_the_logged_ones_are_named() -> None:
    assert judge({"f1": 0.5, "acc": 1}, FLOOR).reason == "'auc' was never logged; logged: acc, f1 (the desk ignores it)"
    assert judge({}, RELATIVE).reason == "'auc' was never logged; nothing was logged"


def test_negative_zero_is_zero() -> None:
    at_least, at_most = Rule("r", "m", min=0.0), Rule("r", "m", max=-0.0)
    assert judge({"m": -0.0}, at_least).outcome is Outcome.PASS
    assert judge({"m": 0.0}, at_most).outcome is Outcome.PASS
    verdicts = [evaluate({"m": zero}, NoChampion(), Policy((at_least,))) for zero in (0, 0.0, -0.0)]
    assert len({verdict_bytes(verdict) for verdict in verdicts}) == 1


def test_without_a_champion_a_relative_rule_is_not_applicable() -> None:
    expected = RuleResult("not worse", "auc", 0.7, ">= champion - 0.1", None, Outcome.NOT_APPLICABLE, "no champion")
    assert judge({"auc": 0.7}, RELATIVE) == expected


def test_equality_with_champion_minus_margin_passes_as_people_count() -> None:
    assert 0.8 - 0.1 > 0.7  # which is why floats are not compared as binary numbers
    expected = RuleResult("not worse", "auc", 0.7, ">= champion - 0.1: >= 0.7", 0.8, Outcome.PASS)
    assert judge({"auc": 0.7}, RELATIVE, Champion("m", "3", {"auc": 0.8})) == expected


@pytest.mark.parametrize(
    ("rule", "champion", "value", "outcome"),
    [
        (Rule("r", "rmse", baseline="champion"), 2.0, 2.0, Outcome.PASS),
        (Rule("r", "rmse", baseline="champion"), 2.0, 2.1, Outcome.FAIL),
        (Rule("r", "rmse", baseline="champion", max_drop=0.1), 2.0, 2.1, Outcome.PASS),
        (Rule("r", "rmse", baseline="champion", max_drop_percent=5), 2.0, 2.1, Outcome.PASS),
        (Rule("r", "r2", baseline="champion", max_drop_percent=50), -1.0, -1.5, Outcome.PASS),
        (Rule("r", "r2", baseline="champion", max_drop_percent=50), -1.0, -1.51, Outcome.FAIL),
        (Rule("r", "auc", baseline="champion", direction=Direction.LOWER), 0.5, 0.6, Outcome.FAIL),
    ],
)
def test_relative_rules_follow_the_direction(rule: Rule, champion: float, value: float, outcome: Outcome) -> None:
    baseline = Champion("m", "1", {rule.metric: champion})
    assert judge({rule.metric: value}, rule, baseline).outcome is outcome


@pytest.mark.parametrize(
    ("baseline", "reason"),
    [
        (UnreadableChampion("its run was deleted"), "the champion cannot be read: its run was deleted"),
        (Champion("m", "3", {"f1": 1.0}), "the champion, m version 3, has no metric 'auc'"),
        (Champion("m", "3", {"auc": math.nan}), "the champion, m version 3, has no finite value of it"),
    ],
)
def test_a_champion_that_cannot_be_compared_with_fails(baseline: Baseline, reason: str) -> None:
    expected = RuleResult("not worse", "auc", 0.99, ">= champion - 0.1", None, Outcome.FAIL, reason)
    assert judge({"auc": 0.99}, RELATIVE, baseline) == expected


def test_an_absolute_rule_does_not_care_about_the_champion() -> None:
    assert judge({"auc": 0.8}, FLOOR, UnreadableChampion("gone")).outcome is Outcome.PASS


def test_a_rule_without_one_meaning_fails() -> None:
    assert judge({"lift": 3}, Rule("r", "lift", baseline="champion")).reason == (
        "the rule is not valid: direction: whether 'lift' should be high or low is not known"
    )


def test_no_rules_is_a_refusal_with_a_rule_to_paste() -> None:
    assert evaluate({"auc": 0.7431}, NoChampion(), Policy()) == Verdict(
        False,
        (),
        "no champion",
        "there are no rules",
        "add a rule to nbmlops.toml, with a bound that you would defend:\n\n"
        '[[gate.rules]]\nname = "auc is good enough"\nmetric = "auc"\nmin = 0.74',
    )


@given(metric_sets, baselines, policies)
def test_a_passing_verdict_rests_on_finite_values_only(
    metrics: dict[str, object], baseline: Baseline, policy: Policy
) -> None:
    verdict = evaluate(metrics, baseline, policy)
    assert len(verdict.results) == len(policy.rules)
    assert verdict_bytes(verdict) == verdict_bytes(evaluate(dict(reversed(metrics.items())), baseline, policy))
    if verdict.passed:
        assert policy.rules
        assert all(result.value is not None and math.isfinite(result.value) for result in verdict.results)
    else:
        assert verdict.failures or verdict.refusal


@given(finite, finite)
def test_a_bound_decides_as_the_numbers_compare(value: float, bound: float) -> None:
    assert (judge({"m": value}, Rule("r", "m", min=bound)).outcome is Outcome.PASS) is (value >= bound)
    assert (judge({"m": value}, Rule("r", "m", max=bound)).outcome is Outcome.PASS) is (value <= bound)


@given(finite, st.floats(0, 1e300))
def test_the_champion_itself_always_passes_and_more_margin_never_hurts(value: float, margin: float) -> None:
    baseline = Champion("m", "1", {"auc": value, "rmse": value})
    for metric in ("auc", "rmse"):
        for rule in (
            Rule("r", metric, baseline="champion"),
            Rule("r", metric, baseline="champion", max_drop=margin),
            Rule("r", metric, baseline="champion", max_drop_percent=margin),
        ):
            assert judge({metric: value}, rule, baseline).outcome is Outcome.PASS
