"""What a rule with a sample asks for, computed from predictions: slices, both models' metrics, intervals, fairness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from nbmlops.core.estimates import Estimate, Kind
from nbmlops.gate.evidence import NotHad, Sampled
from nbmlops.gate.policy import ClaimKind, Direction, Method, Rule, Sample, direction_of, is_fairness, measure_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from nbmlops.data.held_out.held_out import HeldOut
    from nbmlops.data.held_out.resampling import Plan, Sides

    Array = np.ndarray[Any, Any]

FAIRNESS_HINT = "fairness needs fairlearn: pip install 'nbmlops[fairness]'"


def sampled(rule: Rule, sample: Sample, candidate: HeldOut, baseline: HeldOut | None) -> Sampled | NotHad:
    """Returns the estimates that a rule asks for, or why they cannot be had.

    Args:
        rule: A sound rule.
        sample: Its sample.
        candidate: The candidate's predictions.
        baseline: The baseline's on the same rows; None where the rule has no baseline.
    """
    from nbmlops.data.held_out.held_out import CannotPair, in_order_of, paired_places  # noqa: PLC0415  # loads tables
    from nbmlops.data.held_out.resampling import Sides  # noqa: PLC0415  # likewise
    from nbmlops.data.held_out.slicing import CannotSlice, rows_where  # noqa: PLC0415  # likewise

    try:
        order, other = paired_places(candidate, baseline) if baseline else (in_order_of(candidate), None)
        columns = candidate.columns.iloc[order].reset_index(drop=True)
        sides = Sides(
            candidate.truth[order],
            candidate.prediction[order],
            None if baseline is None else baseline.prediction[other],
            (candidate.threshold, None if baseline is None else baseline.threshold),
        )
        if sample.where:
            rows = rows_where(columns, sample.where)
            sides, columns = sides.on(rows), columns.iloc[rows].reset_index(drop=True)
        if is_fairness(rule):
            return _fairness(rule, sample, sides, columns)
        return Sampled(tuple(_estimates(rule, sample, sides, columns)))
    except (CannotPair, CannotSlice) as reason:
        return NotHad(str(reason))


def _estimates(rule: Rule, sample: Sample, sides: Sides, columns: pd.DataFrame) -> Iterator[Estimate]:
    from nbmlops.data.held_out.resampling import estimate  # noqa: PLC0415  # as above

    measure, higher = measure_of(rule), direction_of(rule) is not Direction.LOWER
    assert measure is not None
    for label, rows in _slices(sample, sides, columns):
        if len(rows) < sample.min_rows:
            yield Estimate(label, len(rows))
            continue
        part = sides.on(rows)
        found = estimate(measure, part, label, _plan(rule), higher=higher)
        yield _with_mcnemar(rule, part, found)


def _slices(sample: Sample, sides: Sides, columns: pd.DataFrame) -> Iterator[tuple[str, Array]]:
    import numpy as np

    from nbmlops.data.held_out.slicing import slices_of  # noqa: PLC0415  # as above

    if sample.slice_by:
        yield from slices_of(columns, sample.slice_by, sample.bins)
    else:
        yield "", np.arange(len(sides.truth))


def _plan(rule: Rule) -> Plan | None:
    from nbmlops.data.held_out.resampling import Plan  # noqa: PLC0415  # as above

    claim = rule.claim
    if claim is None or claim.method is Method.MCNEMAR:
        return None
    return Plan(claim.resamples, claim.seed, claim.confidence)


def _with_mcnemar(rule: Rule, sides: Sides, found: Estimate) -> Estimate:
    """Returns the estimate with McNemar's test where the rule asks for it."""
    claim = rule.claim
    if found.problem or claim is None or claim.method is not Method.MCNEMAR or sides.baseline is None:
        return found
    assert claim.kind is ClaimKind.BETTER
    from nbmlops.data.held_out.mcnemar import mcnemar  # noqa: PLC0415  # as above
    from nbmlops.data.held_out.measures import labels_of  # noqa: PLC0415  # as above

    right = sides.truth == labels_of(sides.truth, sides.candidate, sides.thresholds[0])
    other = sides.truth == labels_of(sides.truth, sides.baseline, sides.thresholds[1])
    won, lost = int((right & ~other).sum()), int((~right & other).sum())
    return replace(found, p_value=mcnemar(won, lost), discordant=(won, lost))


def _fairness(rule: Rule, sample: Sample, sides: Sides, columns: pd.DataFrame) -> Sampled | NotHad:
    """Returns the difference between groups, and each group's rate of positive predictions."""
    import numpy as np

    from nbmlops.data.held_out.measures import binary, labels_of  # noqa: PLC0415  # as above

    measure = measure_of(rule)
    assert measure is not None
    assert measure.kind is Kind.FAIRNESS
    groups = list(_slices(sample, sides, columns))
    large = [(label, rows) for label, rows in groups if len(rows) >= sample.min_rows]
    small = tuple(Estimate(label, len(rows)) for label, rows in groups if len(rows) < sample.min_rows)
    if len(large) < 2:
        return NotHad(f"{len(large)} groups of {sample.min_rows:,} rows or more: a difference needs two")
    try:
        from fairlearn import metrics  # an extra
    except ImportError:
        return NotHad(FAIRNESS_HINT)
    kept = np.concatenate([rows for _, rows in large])
    names = np.repeat([label for label, _ in large], [len(rows) for _, rows in large])
    try:
        truth = binary(sides.truth)
        labels = binary(labels_of(sides.truth, sides.candidate, sides.thresholds[0]))
    except ValueError as problem:
        return NotHad(str(problem))
    compute = getattr(metrics, measure.name)
    difference = float(compute(truth[kept], labels[kept], sensitive_features=names))
    rates = metrics.MetricFrame(
        metrics=metrics.selection_rate, y_true=truth[kept], y_pred=labels[kept], sensitive_features=names
    ).by_group
    told = tuple(Estimate(label, len(rows), float(rates.loc[label])) for label, rows in large)
    whole = Estimate("", len(kept), difference)
    return Sampled((whole,), told + small)
