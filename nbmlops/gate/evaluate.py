"""The gate: (metrics, baseline, policy) -> `Verdict`. Pure, and closed when in doubt.

Called by the magic, the command and the pipeline with the same arguments. Thresholds are inclusive, and "equal" means
what a person reads: numbers are compared as the decimals they are written as, so 0.7 passes "at most 0.1 below 0.8"
although the binary 0.8 - 0.1 is a little more than 0.7.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec.structs import replace

from nbmlops.gate.baseline import Baseline, Champion, NoChampion, UnreadableChampion, describe_baseline
from nbmlops.gate.bounds import Bound, absolute_bounds, asked, broken_text, relative_bound
from nbmlops.gate.evidence import NO_EVIDENCE, Evidence, Found, NotHad, NothingToCompare
from nbmlops.gate.numerals import as_number, exact
from nbmlops.gate.policy import CHAMPION, Policy, Rule, Sample
from nbmlops.gate.rule_faults import rule_faults
from nbmlops.gate.samples import judge_sampled
from nbmlops.gate.suggest import rule_to_paste
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict, decide

NO_RULES = "there are no rules"
_MOST_NAMES = 10


def evaluate(
    metrics: Mapping[str, object], baseline: Baseline, policy: Policy, evidence: Evidence = NO_EVIDENCE
) -> Verdict:
    """Returns the verdict on a run's metrics and on what else is known of it.

    Fails closed: a metric that is missing, not a number, NaN or infinite fails its rules, and so do a champion that
    cannot be read or lacks the metric, and a rule without one meaning. While there is no champion, rules against it are
    not applicable. Without any rule the verdict is a refusal, with a rule to paste.

    Args:
        metrics: The last value of each metric that the run logged.
        baseline: What the rules against the champion compare with.
        policy: The rules.
        evidence: What rules beyond logged metrics need; such rules fail without it.
    """
    described = describe_baseline(baseline)
    if not policy.rules:
        return Verdict(False, (), described, NO_RULES, rule_to_paste(metrics))
    results = tuple(_named(rule, _judge(rule, metrics, baseline, evidence)) for rule in policy.rules)
    return Verdict(decide(results, ""), results, described)


def _named(rule: Rule, result: RuleResult) -> RuleResult:
    """Returns the result with the name of what it is compared with, where that is not the champion."""
    is_other = result.baseline is not None and rule.baseline not in {"", CHAMPION}
    return replace(result, against=rule.baseline) if is_other else result


def _judge(rule: Rule, metrics: Mapping[str, object], baseline: Baseline, evidence: Evidence) -> RuleResult:
    if faults := rule_faults(rule):
        text = "; ".join(f"{fault.key or 'rule'}: {fault.message}" for fault in faults)
        return _fail(rule, None, "" if not rule.baseline else asked(rule), f"the rule is not valid: {text}")
    if rule.fact:
        return _judge_fact(rule, evidence)
    if rule.sample is not None:
        return _judge_sample(rule, rule.sample, evidence)
    return _judge_logged(rule, metrics, baseline, evidence)


def _judge_logged(rule: Rule, metrics: Mapping[str, object], baseline: Baseline, evidence: Evidence) -> RuleResult:
    value = as_number(metrics.get(rule.metric))
    if rule.metric not in metrics:
        return _fail(rule, None, asked(rule), _missing(rule.metric, metrics))
    if value is None:
        kind = type(metrics[rule.metric]).__name__
        return _fail(rule, None, asked(rule), f"{rule.metric} is of type {kind}, not a number")
    if not math.isfinite(value):
        return _fail(rule, value, asked(rule), f"{rule.metric} is {'NaN' if math.isnan(value) else 'infinite'}")
    if not rule.baseline:
        return _compare(rule, value, absolute_bounds(rule), None)
    if rule.baseline == CHAMPION:
        return _judge_relative(rule, value, baseline)
    other = evidence.baselines.get(rule.baseline, UnreadableChampion(f"{rule.baseline} was not looked up"))
    return _judge_relative(rule, value, other)


def _judge_relative(rule: Rule, value: float, baseline: Baseline) -> RuleResult:
    text = asked(rule)
    who = "the champion" if rule.baseline == CHAMPION else rule.baseline
    match baseline:
        case NoChampion():
            return RuleResult(rule.name, rule.metric, value, text, None, Outcome.NOT_APPLICABLE, "no champion")
        case UnreadableChampion(reason=reason):
            return _fail(rule, value, text, f"{who} cannot be read: {reason}")
        case Champion(name=name, version=version, metrics=metrics):
            known = as_number(metrics.get(rule.metric))
            if known is None or not math.isfinite(known):
                why = f"has no metric {rule.metric!r}" if rule.metric not in metrics else "has no finite value of it"
                return _fail(rule, value, text, f"{who}, {name} version {version}, {why}")
            return _compare(rule, value, (relative_bound(rule, known),), known)


def _judge_sample(rule: Rule, sample: Sample, evidence: Evidence) -> RuleResult:
    match evidence.samples.get(rule.name, NotHad("nobody looked at recorded rows")):
        case NotHad(reason=reason):
            return _fail(rule, None, asked(rule), reason)
        case NothingToCompare():
            return RuleResult(rule.name, rule.metric, None, asked(rule), None, Outcome.NOT_APPLICABLE, "no champion")
        case found:
            return judge_sampled(rule, sample, found)


def _judge_fact(rule: Rule, evidence: Evidence) -> RuleResult:
    bounded = rule if rule.min is not None or rule.max is not None else replace(rule, max=0.0)
    named = replace(bounded, metric=f"{rule.fact} of {rule.of}" if rule.of else rule.fact)
    match evidence.facts.get((rule.fact, rule.of), NotHad("nobody looked")):
        case NotHad(reason=reason):
            return _fail(named, None, asked(named), reason)
        case NothingToCompare():
            text = asked(named)
            return RuleResult(rule.name, named.metric, None, text, None, Outcome.NOT_APPLICABLE, "no champion")
        case Found(value=value, said=said, detail=detail) if math.isfinite(value):
            result = _compare(named, value, absolute_bounds(named), None, said)
            return replace(result, detail=detail)
        case float() | int() as value if math.isfinite(value):
            return _compare(named, float(value), absolute_bounds(named), None)
        case _:
            return _fail(named, None, asked(named), f"{named.metric} is no finite number")


def _compare(rule: Rule, value: float, bounds: tuple[Bound, ...], baseline: float | None, said: str = "") -> RuleResult:
    threshold = " and ".join(bound.text for bound in bounds)
    why = broken_text(exact(value), bounds)
    if not why:
        return RuleResult(rule.name, rule.metric, value, threshold, baseline, Outcome.PASS)
    return _fail(rule, value, threshold, f"{why}: {said}" if said else why, baseline)


def _missing(metric: str, metrics: Mapping[str, object]) -> str:
    known = ", ".join(sorted(metrics)[:_MOST_NAMES]) + (", …" if len(metrics) > _MOST_NAMES else "")
    return f"{metric!r} was never logged" + (f"; logged: {known}" if known else "; nothing was logged")


def _fail(rule: Rule, value: float | None, threshold: str, why: str, baseline: float | None = None) -> RuleResult:
    told = f"{why} ({rule.reason})" if rule.reason else why
    return RuleResult(rule.name, rule.metric, value, threshold, baseline, Outcome.FAIL, told)
