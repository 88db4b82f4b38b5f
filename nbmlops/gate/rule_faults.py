"""What keeps a rule from having one meaning, as data: the key, why, and the edit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from difflib import get_close_matches

from msgspec import Struct

from nbmlops.core.conditions import parse_condition
from nbmlops.core.estimates import MEASURES, Kind
from nbmlops.gate.facts import COUNTED, FACTS
from nbmlops.gate.policy import (
    CHAMPION,
    DATASET,
    Claim,
    ClaimKind,
    Direction,
    Method,
    Rule,
    Sample,
    direction_of,
    is_fairness,
    is_named_version,
    measure_of,
)

_NUMBERS = ("min", "max", "max_drop", "max_drop_percent", "min_gain", "min_gain_percent")
_MARGINS = _NUMBERS[2:]
_BASELINES = (CHAMPION, DATASET, "version 1", "@challenger")


class RuleFault(Struct, frozen=True):
    """What is wrong with a rule: the key (as `nbmlops.toml` spells it, "" for the whole rule), why, and the edit."""

    key: str
    message: str
    hint: str = ""


def rule_faults(rule: Rule) -> tuple[RuleFault, ...]:
    """Returns everything that keeps a rule from having one meaning; () for a sound rule."""
    return tuple(_faults(rule))


def _faults(rule: Rule) -> Iterator[RuleFault]:
    if not rule.name.strip():
        yield RuleFault("name", "must not be empty", 'add name = "..."')
    if not rule.metric.strip() and not rule.fact:
        yield RuleFault("metric", "must name a metric, but is empty", 'add metric = "auc"')
    for key in _NUMBERS:
        value = getattr(rule, key)
        if value is not None and not math.isfinite(value):
            yield RuleFault(key, f"must be a finite number, but is {value}")
    if rule.fact:
        yield from _fact_faults(rule)
    else:
        yield from _absolute_faults(rule) if not rule.baseline else _relative_faults(rule)
    if rule.sample is not None:
        yield from _sample_faults(rule, rule.sample)
    if rule.claim is not None:
        yield from _claim_faults(rule, rule.claim)
    if rule.direction is not None and rule.direction not in tuple(Direction):
        yield RuleFault("direction", f'must be "higher" or "lower", but is {rule.direction!r}')


def _fact_faults(rule: Rule) -> Iterator[RuleFault]:
    if rule.fact not in FACTS:
        near = get_close_matches(rule.fact, FACTS, n=1)
        yield RuleFault(
            "fact", f"{rule.fact!r} is no fact", f"did you mean {near[0]!r}?" if near else f"known: {', '.join(FACTS)}"
        )
    elif rule.fact not in COUNTED and rule.min is None and rule.max is None:
        yield RuleFault("max", f"{rule.fact!r} needs a bound", "add max = NUMBER")
    if rule.metric:
        yield RuleFault("metric", "a rule is about a metric or about a fact, not both", "write two rules")
    if rule.baseline or rule.claim is not None or rule.sample is not None:
        yield RuleFault("fact", "a fact has bounds only: no baseline, no claim, no slices", "keep min and max")
    yield from _crossed(rule)


def _crossed(rule: Rule) -> Iterator[RuleFault]:
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        yield RuleFault("min", f"{rule.min} is greater than max = {rule.max}: no value can pass")


def _absolute_faults(rule: Rule) -> Iterator[RuleFault]:
    has_gap = rule.sample is not None and rule.sample.max_gap is not None
    if rule.min is None and rule.max is None and not has_gap:
        yield RuleFault(
            "", "a rule needs a threshold or a baseline", 'add min = NUMBER, or max = NUMBER, or baseline = "champion"'
        )
    yield from _crossed(rule)
    for key in _MARGINS:
        if getattr(rule, key) is not None:
            yield RuleFault(key, "has a meaning only beside a baseline", 'add baseline = "champion"')


def _relative_faults(rule: Rule) -> Iterator[RuleFault]:
    if rule.baseline not in {CHAMPION, DATASET} and not is_named_version(rule.baseline):
        near = get_close_matches(rule.baseline, _BASELINES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f'write baseline = "{CHAMPION}"'
        known = f'"{CHAMPION}", "{DATASET}", "version 3" or "@challenger"'
        yield RuleFault("baseline", f"must be {known}, but is {rule.baseline!r}", hint)
    for key in ("min", "max"):
        if getattr(rule, key) is not None:
            yield RuleFault(key, "a rule has a threshold or a baseline, not both", "write two rules")
    margins = [key for key in _MARGINS if getattr(rule, key) is not None]
    for key in margins[1:]:
        yield RuleFault(key, f"a rule has {margins[0]} or {key}, not both", "keep one of them")
    for key in margins:
        value = getattr(rule, key)
        if value < 0:
            yield RuleFault(key, f"must be 0 or more, but is {value}", "0 means: never worse")
    if direction_of(rule) is None:
        yield RuleFault(
            "direction",
            f"whether {rule.metric!r} should be high or low is not known",
            'add direction = "higher" or direction = "lower"',
        )


def _sample_faults(rule: Rule, sample: Sample) -> Iterator[RuleFault]:
    if measure_of(rule) is None:
        near = get_close_matches(rule.metric.lower(), MEASURES, n=1)
        known = f"did you mean {near[0]!r}?" if near else f"these can: {', '.join(MEASURES)}"
        yield RuleFault("metric", f"{rule.metric!r} cannot be computed from predictions", known)
    if is_fairness(rule):
        yield from _fairness_faults(rule, sample)
    if sample.where:
        try:
            parse_condition(sample.where)
        except ValueError as error:
            yield RuleFault("where", str(error), 'write it like: distance > 1000 and origin in ["EWR", "JFK"]')
    if sample.bins and not sample.slice_by:
        yield RuleFault("bins", "are edges of intervals of a column, but no column is named", "add slice_by = COLUMN")
    if not all(map(math.isfinite, sample.bins)):
        yield RuleFault(
            "bins", "must be finite numbers", "leave the others out: below the first and above the last one is told"
        )
    if any(low >= high for low, high in zip(sample.bins, sample.bins[1:], strict=False)):
        yield RuleFault("bins", "must go up", "write them from the lowest to the highest")
    if sample.max_gap is not None and not (sample.slice_by and sample.max_gap >= 0):
        yield RuleFault("max_gap", "is a distance between slices, 0 or more", "add slice_by = COLUMN")
    if sample.min_rows < 1:
        yield RuleFault("min_rows", f"must be 1 or more, but is {sample.min_rows}")


def _fairness_faults(rule: Rule, sample: Sample) -> Iterator[RuleFault]:
    if not sample.slice_by:
        yield RuleFault("slice_by", f"{rule.metric!r} compares groups, but none are named", "add slice_by = COLUMN")
    if rule.baseline or rule.claim is not None or rule.max is None:
        yield RuleFault("max", f"{rule.metric!r} needs an upper bound", "add max = NUMBER, and no baseline")


def _claim_faults(rule: Rule, claim: Claim) -> Iterator[RuleFault]:
    if rule.sample is None:
        yield RuleFault("claim", "is about recorded rows, of which the rule names none", "give it a sample")
    if not rule.baseline:
        yield RuleFault("claim", "is about candidate and baseline", 'add baseline = "champion"')
    for key in _MARGINS:
        if getattr(rule, key) is not None:
            yield RuleFault(key, "a claim has a margin of its own", "write margin = NUMBER")
    if not (math.isfinite(claim.margin) and claim.margin >= 0):
        yield RuleFault("margin", f"must be 0 or more, but is {claim.margin}")
    if not 0.5 < claim.confidence < 1:
        yield RuleFault("confidence", f"must lie between 0.5 and 1, but is {claim.confidence}", "confidence = 0.95")
    if not 100 <= claim.resamples <= 100_000:
        yield RuleFault("resamples", f"must lie between 100 and 100,000, but is {claim.resamples}", "resamples = 1000")
    if claim.seed < 0:
        yield RuleFault("seed", f"must be 0 or more, but is {claim.seed}")
    if claim.method is Method.MCNEMAR:
        yield from _mcnemar_faults(rule, claim)


def _mcnemar_faults(rule: Rule, claim: Claim) -> Iterator[RuleFault]:
    measure = measure_of(rule)
    if measure is None or measure.kind is not Kind.LABELS or measure.name not in {"accuracy", "error_rate"}:
        yield RuleFault("method", "McNemar's test is about accuracy", 'write metric = "accuracy", or leave method out')
    if claim.kind is not ClaimKind.BETTER or claim.margin:
        yield RuleFault("method", "McNemar's test knows no margin", 'write claim = "better", or leave method out')
