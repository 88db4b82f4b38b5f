"""The gate: (metrics, baseline, policy) -> `Verdict`. Pure, and closed when in doubt.

Called by the magic, the command and the pipeline with the same arguments. Thresholds are inclusive, and "equal" means
what a person reads: numbers are compared as the decimals they are written as, so 0.7 passes "at most 0.1 below 0.8"
although the binary 0.8 - 0.1 is a little more than 0.7.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from nbmlops.gate.baseline import Baseline, Champion, NoChampion, UnreadableChampion, describe_baseline
from nbmlops.gate.numerals import as_number, exact, show_apart, show_in_full, show_number
from nbmlops.gate.policy import Direction, Policy, Rule, direction_of, rule_faults
from nbmlops.gate.suggest import rule_to_paste
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict, decide

NO_RULES = "there are no rules"
_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class _Bound:
    """One inclusive bound: the limit, whether values must be at least or at most it, and how it is told."""

    limit: Fraction
    at_least: bool
    text: str

    def holds(self, value: Fraction) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


def evaluate(metrics: Mapping[str, object], baseline: Baseline, policy: Policy) -> Verdict:
    """Returns the verdict on a run's metrics.

    Fails closed: a metric that is missing, not a number, NaN or infinite fails its rules, and so do a champion that
    cannot be read or lacks the metric, and a rule without one meaning. While there is no champion, rules against it are
    not applicable. Without any rule the verdict is a refusal, with a rule to paste.

    Args:
        metrics: The last value of each metric that the run logged.
        baseline: What the rules against the champion compare with.
        policy: The rules.
    """
    described = describe_baseline(baseline)
    if not policy.rules:
        return Verdict(False, (), described, NO_RULES, rule_to_paste(metrics))
    results = tuple(_judge(rule, metrics, baseline) for rule in policy.rules)
    return Verdict(decide(results, ""), results, described)


def _judge(rule: Rule, metrics: Mapping[str, object], baseline: Baseline) -> RuleResult:
    asked = _asked(rule)
    if faults := rule_faults(rule):
        text = "; ".join(f"{fault.key or 'rule'}: {fault.message}" for fault in faults)
        return _fail(rule, None, asked, f"the rule is not valid: {text}")
    if rule.metric not in metrics:
        return _fail(rule, None, asked, _missing(rule.metric, metrics))
    value = as_number(metrics[rule.metric])
    if value is None:
        kind = type(metrics[rule.metric]).__name__
        return _fail(rule, None, asked, f"{rule.metric} is of type {kind}, not a number")
    if not math.isfinite(value):
        return _fail(rule, value, asked, f"{rule.metric} is {'NaN' if math.isnan(value) else 'infinite'}")
    if not rule.baseline:
        return _compare(rule, value, _absolute_bounds(rule), None)
    return _judge_relative(rule, value, baseline)


def _judge_relative(rule: Rule, value: float, baseline: Baseline) -> RuleResult:
    asked = _asked(rule)
    match baseline:
        case NoChampion():
            return RuleResult(rule.name, rule.metric, value, asked, None, Outcome.NOT_APPLICABLE, "no champion")
        case UnreadableChampion(reason=reason):
            return _fail(rule, value, asked, f"the champion cannot be read: {reason}")
        case Champion(name=name, version=version, metrics=metrics):
            known = as_number(metrics.get(rule.metric))
            if known is None or not math.isfinite(known):
                why = f"has no metric {rule.metric!r}" if rule.metric not in metrics else "has no finite value of it"
                reason = f"the champion, {name} version {version}, {why}"
                return _fail(rule, value, asked, reason)
            return _compare(rule, value, (_relative_bound(rule, known),), known)


def _compare(rule: Rule, value: float, bounds: tuple[_Bound, ...], baseline: float | None) -> RuleResult:
    number = exact(value)
    threshold = " and ".join(bound.text for bound in bounds)
    broken = [bound for bound in bounds if not bound.holds(number)]
    if not broken:
        return RuleResult(rule.name, rule.metric, value, threshold, baseline, Outcome.PASS)
    side = "below" if broken[0].at_least else "above"
    shown = show_apart(number, broken[0].limit)
    return _fail(rule, value, threshold, f"{shown[0]} is {side} {shown[1]}", baseline)


def _absolute_bounds(rule: Rule) -> tuple[_Bound, ...]:
    bounds = []
    if rule.min is not None:
        bounds.append(_Bound(exact(rule.min), True, f">= {show_in_full(rule.min)}"))
    if rule.max is not None:
        bounds.append(_Bound(exact(rule.max), False, f"<= {show_in_full(rule.max)}"))
    return tuple(bounds)


def _relative_bound(rule: Rule, champion: float) -> _Bound:
    base = exact(champion)
    margin = exact(rule.max_drop or 0.0)
    if rule.max_drop_percent is not None:
        margin = abs(base) * exact(rule.max_drop_percent) / 100
    at_least = direction_of(rule) is Direction.HIGHER
    limit = base - margin if at_least else base + margin
    return _Bound(limit, at_least, f"{_asked(rule)}: {'>=' if at_least else '<='} {show_number(limit)}")


def _asked(rule: Rule) -> str:
    """Returns the threshold in the rule's own words, before anything is known of a champion."""
    if not rule.baseline:
        return " and ".join(bound.text for bound in _absolute_bounds(rule)) if not rule_faults(rule) else ""
    lower = direction_of(rule) is Direction.LOWER
    margin = show_in_full(rule.max_drop) if rule.max_drop else ""
    if rule.max_drop_percent:
        margin = f"{show_in_full(rule.max_drop_percent)} %"
    tail = f" {'+' if lower else '-'} {margin}" if margin else ""
    return f"{'<=' if lower else '>='} {rule.baseline}{tail}"


def _missing(metric: str, metrics: Mapping[str, object]) -> str:
    known = ", ".join(sorted(metrics)[:_MOST_NAMES]) + (", …" if len(metrics) > _MOST_NAMES else "")
    return f"{metric!r} was never logged" + (f"; logged: {known}" if known else "; nothing was logged")


def _fail(rule: Rule, value: float | None, threshold: str, why: str, baseline: float | None = None) -> RuleResult:
    told = f"{why} ({rule.reason})" if rule.reason else why
    return RuleResult(rule.name, rule.metric, value, threshold, baseline, Outcome.FAIL, told)
