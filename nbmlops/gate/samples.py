"""Rules about recorded rows: estimates in, a result out. Pure, and closed when in doubt.

A rule with slices holds in each of them; the one that keeps it least is shown. That each slice is tested at the rule's
own level needs no correction: a model passes only if all tests do, which is never more probable than that one does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nbmlops.core.diagnostics import Json
from nbmlops.core.estimates import Estimate
from nbmlops.gate.bounds import absolute_bounds, asked, broken_text, relative_bound
from nbmlops.gate.evidence import Sampled
from nbmlops.gate.numerals import exact, show_in_full, show_number
from nbmlops.gate.policy import Claim, ClaimKind, Direction, Method, Rule, Sample, direction_of, is_fairness
from nbmlops.gate.verdict import Outcome, RuleResult


def judge_sampled(rule: Rule, sample: Sample, found: Sampled) -> RuleResult:
    """Returns the result of a rule on what was computed for it.

    Args:
        rule: A sound rule.
        sample: Its sample.
        found: The estimates.
    """
    kept, small = _large_enough(sample, found)
    detail = _detail(rule, sample, found, small)
    if small and sample.small_slices != "leave out":
        worst = min(small, key=lambda one: one.rows)
        why = f"{_named(worst)}{worst.rows:,} rows are too few: {sample.min_rows:,} are needed"
        return _result(rule, worst, "", why, detail)
    if not kept:
        few = f"every slice has fewer than {sample.min_rows:,} rows" if small else "there are no rows"
        return _result(rule, None, "", few, detail)
    for one in kept:
        if one.problem or one.value is None or not math.isfinite(one.value):
            return _result(rule, one, "", f"{_named(one)}{one.problem or 'no finite value'}", detail)
    worst = min(kept, key=lambda one: _slack(rule, one))
    label = f" (worst of {len(kept)})" if len(kept) > 1 else ""
    for one in [worst, *kept]:
        why = _broken(rule, one)
        if why:
            return _result(rule, one, label if one is worst else "", f"{_named(one)}{why}", detail)
    gap = _gap(sample, kept)
    return _result(rule, worst, label, gap, detail)


def _large_enough(sample: Sample, found: Sampled) -> tuple[list[Estimate], list[Estimate]]:
    """Returns the slices that have enough rows, and the others."""
    judged = [one for one in found.estimates if one.rows >= sample.min_rows]
    small = [one for one in (*found.estimates, *found.groups) if one.rows < sample.min_rows]
    return judged, small


def _slack(rule: Rule, one: Estimate) -> float:
    """Returns how well a slice keeps the rule, in units of the metric; negative where it breaks it."""
    assert one.value is not None
    if rule.claim is not None:
        return _least_gain(one)
    if rule.baseline:
        return one.gain if one.gain is not None else -math.inf
    if rule.min is not None or rule.max is not None:
        ends = [one.value - rule.min] if rule.min is not None else []
        return min([*ends, rule.max - one.value] if rule.max is not None else ends)
    return one.value if direction_of(rule) is not Direction.LOWER else -one.value


def _least_gain(one: Estimate) -> float:
    """Returns the gain that is sure; McNemar's test gives none, but a probability that falls as the gain rises."""
    if one.p_value is not None:
        return -one.p_value
    return one.low if one.low is not None else -math.inf


def _broken(rule: Rule, one: Estimate) -> str:
    """Returns why a slice breaks the rule, as a sentence; "" where it keeps it."""
    assert one.value is not None
    if rule.claim is not None:
        return _unshown(rule.claim, one)
    value = exact(one.value)
    if rule.baseline:
        if one.baseline is None or not math.isfinite(one.baseline):
            return f"{rule.baseline} has no finite value here"
        return broken_text(value, (relative_bound(rule, one.baseline),))
    return broken_text(value, absolute_bounds(rule))


def _unshown(claim: Claim, one: Estimate) -> str:
    """Returns why a claim is not shown, as a sentence; "" where it is."""
    if claim.method is Method.MCNEMAR:
        if one.p_value is None or one.discordant is None:
            return "McNemar's test was not made"
        if one.p_value <= 1 - claim.confidence:
            return ""
        won, lost = one.discordant
        return f"{won:,} rows won and {lost:,} lost: p = {show_number(one.p_value, 3)} by McNemar's test"
    if one.low is None or one.gain is None or not math.isfinite(one.low):
        return "the interval of the difference is not known"
    shown = claim.kind is ClaimKind.BETTER
    holds = exact(one.low) > exact(claim.margin) if shown else exact(one.low) >= -exact(claim.margin)
    if holds:
        return ""
    sure = f"{show_number(100 * claim.confidence)} % sure is {_signed(one.low)}"
    return f"the gain is {_signed(one.gain)}, but {sure}"


def _gap(sample: Sample, kept: Sequence[Estimate]) -> str:
    if sample.max_gap is None:
        return ""
    ordered = sorted(kept, key=lambda one: one.value or 0.0)
    low, high = ordered[0], ordered[-1]
    assert low.value is not None
    assert high.value is not None
    if exact(high.value) - exact(low.value) <= exact(sample.max_gap):
        return ""
    ends = f"{low.slice} has {show_number(low.value)}, {high.slice} {show_number(high.value)}"
    return f"{ends}: more than {show_in_full(sample.max_gap)} apart"


def _result(rule: Rule, one: Estimate | None, label: str, why: str, detail: dict[str, Json]) -> RuleResult:
    where = f": {one.slice}{label}" if one is not None and one.slice else ""
    told = f"{why} ({rule.reason})" if why and rule.reason else why
    return RuleResult(
        rule=rule.name,
        metric=f"{rule.metric}{where}",
        value=one.value if one is not None else None,
        threshold=_threshold(rule, one),
        baseline=one.baseline if one is not None else None,
        outcome=Outcome.FAIL if why else Outcome.PASS,
        reason=told,
        detail=detail,
    )


def _threshold(rule: Rule, one: Estimate | None) -> str:
    text = asked(rule)
    if one is None or not rule.baseline:
        return text
    if rule.claim is None:
        return relative_bound(rule, one.baseline).text if one.baseline is not None else text
    if one.low is None or one.high is None:
        return text
    return f"{text}: gain {_signed(one.gain or 0.0)} in [{_signed(one.low)}, {_signed(one.high)}]"


def _detail(rule: Rule, sample: Sample, found: Sampled, small: Sequence[Estimate]) -> dict[str, Json]:
    """Returns what the verdict keeps beside the result: rows, how it was tested, and each slice."""
    judged = [one for one in found.estimates if one not in small]
    detail: dict[str, Json] = {"rows": sum(one.rows for one in (found.groups or found.estimates))}
    if sample.where:
        detail["where"] = sample.where
    bounds: dict[str, Json] = {key: value for key, value in (("min", rule.min), ("max", rule.max)) if value is not None}
    if bounds:
        detail["bounds"] = bounds
    if rule.claim is not None:
        claim = rule.claim
        detail["test"] = {
            "method": claim.method.value,
            "claim": claim.kind.value,
            "margin": claim.margin,
            "confidence": claim.confidence,
            **({} if claim.method is Method.MCNEMAR else {"resamples": claim.resamples, "seed": claim.seed}),
        }
    detail["estimates"] = [_estimate_to_json(one) for one in judged]
    if found.groups and is_fairness(rule):
        detail["groups"] = [_estimate_to_json(one) for one in found.groups]
    if small:
        detail["small"] = [[one.slice, one.rows] for one in small]
    return detail


def _estimate_to_json(one: Estimate) -> dict[str, Json]:
    known: dict[str, Json] = {"slice": one.slice, "rows": one.rows}
    numbers = {"value": one.value, "baseline": one.baseline, "gain": one.gain, "low": one.low, "high": one.high}
    known |= {name: value for name, value in numbers.items() if value is not None and math.isfinite(value)}
    if one.p_value is not None and one.discordant is not None:
        known |= {"p_value": one.p_value, "discordant": list(one.discordant)}
    return known


def _named(one: Estimate) -> str:
    return f"{one.slice}: " if one.slice else ""


def _signed(value: float) -> str:
    return f"{value + 0.0:+.4g}"
