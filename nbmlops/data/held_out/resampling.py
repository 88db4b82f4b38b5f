"""Paired bootstrap: how sure it is that one model is better than another on the same rows, or not worse.

Rows are drawn with replacement, the same ones for both models (Efron and Tibshirani 1993, chapter 8), as often as there
are rows. Nothing is approximated beside that: metrics of labels are drawn as counts of the cells that rows fall into,
which has the same distribution as drawing the rows; means and AUC are computed from the drawn rows themselves. The
interval is that of percentiles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.core.estimates import Estimate, Kind, Measure
from nbmlops.data.held_out.measures import (
    UNDEFINED,
    Ranking,
    binary,
    from_counts,
    from_means,
    label_cells,
    labels_of,
    parts_of,
    scores_of,
    value_of,
)

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_MOST_UNDEFINED = 0.01
"""Share of resamples in which the metric may be undefined before the interval is."""
_BLOCK = 50_000
"""Rows that are drawn at once, for several resamples of a small slice: what the processor's cache holds."""


class Plan(Struct, frozen=True):
    """How to resample.

    Attributes:
        resamples: How often.
        seed: Of the random generator, the same for every slice.
        confidence: Of each end of the interval: at 0.95 the gain is above the lower end with 95 %, and below the
            upper end with 95 %.
    """

    resamples: int = 1000
    seed: int = 0
    confidence: float = 0.95


class Sides(Struct, frozen=True):
    """Two models on the same rows.

    Attributes:
        truth: What was right.
        candidate: What the candidate predicted.
        baseline: What the baseline predicted; None where there is none.
        thresholds: From which score a row counts as positive, for the candidate and for the baseline.
    """

    truth: Any  # a NumPy array
    candidate: Any  # a NumPy array
    baseline: Any = None
    thresholds: tuple[float | None, float | None] = (None, None)

    def on(self, rows: Array) -> Sides:
        """Returns the same for some of the rows."""
        baseline = None if self.baseline is None else self.baseline[rows]
        return Sides(self.truth[rows], self.candidate[rows], baseline, self.thresholds)


def estimate(measure: Measure, sides: Sides, slice_: str, plan: Plan | None, *, higher: bool = True) -> Estimate:
    """Returns the metric of both models on all given rows, and the interval of the gain if a plan asks for it.

    Args:
        measure: The metric.
        sides: The two models.
        slice_: What the rows have in common, for people.
        plan: How to resample; None for no interval.
        higher: Whether greater values are better, which decides the sign of the gain.
    """
    rows = len(sides.truth)
    try:
        values = list(_values(measure, sides))
        drawn = _resampled(measure, sides, plan) if plan is not None and sides.baseline is not None else None
    except ValueError as problem:
        return Estimate(slice_, rows, problem=str(problem))
    value, baseline = values[0], values[1] if len(values) > 1 else None
    if math.isnan(value) or (baseline is not None and math.isnan(baseline)):
        return Estimate(slice_, rows, _number(value), _number(baseline), problem=UNDEFINED)
    sign = 1.0 if higher else -1.0
    gain = None if baseline is None else sign * (value - baseline)
    if drawn is None or plan is None:
        return Estimate(slice_, rows, value, baseline, gain)
    return _with_interval(Estimate(slice_, rows, value, baseline, gain), sign * drawn, plan)


def _with_interval(found: Estimate, gains: Array, plan: Plan) -> Estimate:
    import numpy as np

    defined = gains[~np.isnan(gains)]
    if len(defined) < (1 - _MOST_UNDEFINED) * len(gains):
        share = 1 - len(defined) / len(gains)
        return replace(found, problem=f"too few rows of a class: it is undefined in {share:.0%} of the resamples")
    ends = np.quantile(defined, [1 - plan.confidence, plan.confidence], method="weibull")
    return replace(found, low=float(ends[0]), high=float(ends[1]))


def _values(measure: Measure, sides: Sides) -> Iterator[float]:
    yield value_of(measure, sides.truth, sides.candidate, sides.thresholds[0])
    if sides.baseline is not None:
        yield value_of(measure, sides.truth, sides.baseline, sides.thresholds[1])


def _resampled(measure: Measure, sides: Sides, plan: Plan) -> Array:
    """Returns candidate minus baseline for each resample."""
    assert sides.baseline is not None
    kinds: dict[Kind, Callable[[Measure, Sides, Plan], Array]] = {
        Kind.LABELS: _of_labels,
        Kind.MEANS: _of_means,
        Kind.RANKS: _of_ranks,
    }
    return kinds[measure.kind](measure, sides, plan)


def _of_labels(measure: Measure, sides: Sides, plan: Plan) -> Array:
    import numpy as np

    assert sides.baseline is not None
    one = label_cells(measure, sides.truth, labels_of(sides.truth, sides.candidate, sides.thresholds[0]))
    other = label_cells(measure, sides.truth, labels_of(sides.truth, sides.baseline, sides.thresholds[1]))
    counts = np.bincount(4 * one + other, minlength=16)
    drawn = np.random.default_rng(plan.seed).multinomial(len(one), counts / len(one), size=plan.resamples)
    table = drawn.reshape(plan.resamples, 4, 4)
    difference: Array = from_counts(measure, table.sum(axis=2)) - from_counts(measure, table.sum(axis=1))
    return difference


def _of_means(measure: Measure, sides: Sides, plan: Plan) -> Array:
    import numpy as np

    assert sides.baseline is not None
    one = parts_of(measure, sides.truth, sides.candidate)
    parts = np.column_stack([one, parts_of(measure, sides.truth, sides.baseline)]).T.copy()
    rows = parts.shape[1]
    generator = np.random.default_rng(plan.seed)
    means = np.empty((plan.resamples, len(parts)))
    step = max(1, _BLOCK // rows)
    for start in range(0, plan.resamples, step):
        count = min(step, plan.resamples - start)
        drawn = generator.integers(0, rows, (count, rows), dtype=np.uint32)
        for column, values in enumerate(parts):
            means[start : start + count, column] = values.take(drawn).mean(axis=1)
    width = one.shape[1]
    difference: Array = from_means(measure, means[:, :width]) - from_means(measure, means[:, width:])
    return difference


def _of_ranks(_measure: Measure, sides: Sides, plan: Plan) -> Array:
    import numpy as np

    assert sides.baseline is not None
    positive = binary(sides.truth)
    one, other = (Ranking(positive, scores_of(scores)) for scores in (sides.candidate, sides.baseline))
    rows = len(positive)
    generator = np.random.default_rng(plan.seed)
    found = np.empty(plan.resamples)
    for place in range(plan.resamples):
        # These types are what NumPy counts and adds up fastest: 8 times as fast as with others.
        drawn = generator.integers(0, rows, rows, dtype=np.uint32).astype(np.intp)
        weights = np.bincount(drawn, minlength=rows).astype(np.int32)
        found[place] = one.auc(weights) - other.auc(weights)
    return found


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
