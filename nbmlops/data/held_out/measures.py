"""Metrics from truth and predictions, in the form in which they can be resampled: counts, means, or ranks.

Each metric is split into what is added up over rows and what is done with the sums. `resampling` draws the sums anew.
The values agree with scikit-learn's functions of the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nbmlops.core.estimates import Kind, Measure

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

UNDEFINED = "it is not defined on these rows"


def value_of(measure: Measure, truth: Array, prediction: Array, threshold: float | None) -> float:
    """Returns the metric on all rows; NaN where it is not defined, as AUC is with one class alone.

    Args:
        measure: The metric.
        truth: What was right, row by row.
        prediction: A score, a number or a label, row by row.
        threshold: From which score a row counts as positive; None where predictions are labels.

    Raises:
        ValueError: truth or predictions are not of the kind that the metric needs; the message says what they are.
    """
    import numpy as np

    match measure.kind:
        case Kind.LABELS:
            cells = label_cells(measure, truth, labels_of(truth, prediction, threshold))
            return float(from_counts(measure, np.bincount(cells, minlength=4)[None, :])[0])
        case Kind.MEANS:
            return float(from_means(measure, parts_of(measure, truth, prediction).mean(axis=0)[None, :])[0])
        case _:
            positive = binary(truth)
            return Ranking(positive, scores_of(prediction)).auc(np.ones(len(truth), dtype=np.int32))


def binary(truth: Array) -> Array:
    """Returns whether each row is positive.

    Raises:
        ValueError: the truth is not made of 0 and 1.
    """
    if truth.dtype.kind in "biuf" and set(map(float, _distinct(truth))) <= {0.0, 1.0}:
        positive: Array = truth == 1
        return positive
    raise ValueError("the truth is not made of 0 and 1, which this metric needs")


def scores_of(prediction: Array) -> Array:
    """Returns predictions as floats.

    Raises:
        ValueError: they are no finite numbers.
    """
    import numpy as np

    if prediction.dtype.kind not in "biuf":
        raise ValueError("the predictions are labels, but this metric needs numbers")
    numbers: Array = prediction.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("there are predictions that are NaN or infinite")
    return numbers


def labels_of(truth: Array, prediction: Array, threshold: float | None) -> Array:
    """Returns the predicted labels.

    Raises:
        ValueError: predictions are scores, and nobody says from which on they count as positive.
    """
    import numpy as np

    if threshold is not None:
        binary(truth)
        labels: Array = scores_of(prediction) >= threshold
        return labels
    is_fraction = prediction.dtype.kind == "f" and (
        bool((prediction != np.rint(prediction)).any() and (truth == np.rint(truth)).all())
        if truth.dtype.kind == "f"
        else not set(_distinct(prediction)) <= {0.0, 1.0}
    )
    if is_fraction:
        raise ValueError("the predictions are scores, and no threshold was recorded that makes labels of them")
    return prediction


def label_cells(measure: Measure, truth: Array, labels: Array) -> Array:
    """Returns the cell of each row: 2 × right-or-positive + predicted; `from_counts` knows which.

    Raises:
        ValueError: the metric is about two classes, and there are others; or labels are of another kind than the truth.
    """
    import numpy as np

    if measure.name in {"accuracy", "error_rate"}:
        if _has_texts(truth) != _has_texts(labels):  # no row would be right, which lets whatever is beside it pass
            raise ValueError("of truth and predictions one is made of texts, the other of numbers")
        right: Array = (truth == labels).astype(np.int64)
        return right
    positive, predicted = binary(truth), binary(labels)
    cells: Array = 2 * positive.astype(np.int64) + predicted
    return cells


def _has_texts(labels: Array) -> bool:
    return labels.dtype.kind in "SU" or (labels.dtype.kind == "O" and any(isinstance(one, str) for one in labels))


def from_counts(measure: Measure, counts: Array) -> Array:
    """Returns the metric for each row of counts of the four cells; NaN where it is not defined."""
    import numpy as np

    counts = counts.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = _FROM_COUNTS[measure.name](*counts.T)
    return found


_FROM_COUNTS: Mapping[str, Callable[[Any, Any, Any, Any], Any]] = {
    # For these two the cells 0 and 1 are wrong and right rows.
    "accuracy": lambda wrong, right, _2, _3: right / (wrong + right),
    "error_rate": lambda wrong, right, _2, _3: wrong / (wrong + right),
    # Of the others: true negatives, false positives, false negatives, true positives.
    "precision": lambda _tn, fp, _fn, tp: tp / (tp + fp),
    "recall": lambda _tn, _fp, fn, tp: tp / (tp + fn),
    "specificity": lambda tn, fp, _fn, _tp: tn / (tn + fp),
    "f1": lambda _tn, fp, fn, tp: 2 * tp / (2 * tp + fp + fn),
    "balanced_accuracy": lambda tn, fp, fn, tp: (tp / (tp + fn) + tn / (tn + fp)) / 2,
    "selection_rate": lambda tn, fp, fn, tp: (tp + fp) / (tn + fp + fn + tp),
}


def parts_of(measure: Measure, truth: Array, prediction: Array) -> Array:
    """Returns for each row what the metric takes the mean of, in columns.

    Raises:
        ValueError: truth or predictions are not of the kind that the metric needs.
    """
    import numpy as np

    if measure.name in {"brier", "log_loss"}:
        return _of_probabilities(measure, binary(truth), scores_of(prediction))[:, None]
    if truth.dtype.kind not in "biuf":
        raise ValueError("the truth is made of labels, but this metric needs numbers")
    wanted, error = scores_of(truth), scores_of(prediction) - scores_of(truth)
    if measure.name == "mae":
        absolute: Array = np.abs(error)[:, None]
        return absolute
    if measure.name == "r2":
        centred = wanted - wanted.mean()  # the variance of large numbers would be lost
        columns: Array = np.column_stack([error**2, centred, centred**2])
        return columns
    squared: Array = (error**2)[:, None]
    return squared


def _of_probabilities(measure: Measure, positive: Array, scores: Array) -> Array:
    import numpy as np

    if ((scores < 0) | (scores > 1)).any():
        raise ValueError("the predictions are no probabilities: some are below 0 or above 1")
    if measure.name == "brier":
        squared: Array = (scores - positive) ** 2
        return squared
    least = np.finfo(np.float64).eps
    likely = np.clip(np.where(positive, scores, 1 - scores), least, 1 - least)
    loss: Array = -np.log(likely)
    return loss


def from_means(measure: Measure, means: Array) -> Array:
    """Returns the metric for each row of means of `parts_of`; NaN where it is not defined."""
    import numpy as np

    if measure.name == "rmse":
        root: Array = np.sqrt(means[:, 0])
        return root
    if measure.name == "r2":
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = means[:, 2] - means[:, 1] ** 2
            explained: Array = np.where(spread > 0, 1 - means[:, 0] / spread, np.nan)
            return explained
    return means[:, 0]


class Ranking:
    """Rows in the order of their scores, so that AUC can be computed again for other weights of the rows.

    AUC is the share of pairs of a positive and a negative row that stand in the right order, ties counting half
    (Mann and Whitney 1947); with a row's weight as its number of copies this is exact.

    Args:
        positive: Whether each row is positive.
        scores: What it was given.
    """

    def __init__(self, positive: Array, scores: Array) -> None:
        import numpy as np

        self._positive, negative = np.flatnonzero(positive), np.flatnonzero(~positive)
        self._negative = negative[np.argsort(scores[negative], kind="stable")]
        ordered, wanted = scores[self._negative], scores[self._positive]
        # How many negative rows are below each positive one, and how many are not above it.
        self._below = np.searchsorted(ordered, wanted, side="left")
        not_above = np.searchsorted(ordered, wanted, side="right")
        self._not_above = not_above if (self._below != not_above).any() else None

    def auc(self, weights: Array) -> float:
        """Returns AUC with each row so many times, a whole number; NaN with one class alone."""
        import numpy as np

        counts = np.zeros(len(self._negative) + 1, dtype=weights.dtype)
        np.cumsum(weights.take(self._negative), out=counts[1:])
        copies = weights.take(self._positive).astype(np.float64)
        # Sums of whole numbers, exact in any order; a product of BLAS would start its threads for each resample.
        wins = float(np.einsum("i,i->", copies, counts.take(self._below)))
        if self._not_above is not None:
            wins = (wins + float(np.einsum("i,i->", copies, counts.take(self._not_above)))) / 2
        pairs = float(copies.sum()) * float(counts[-1])
        return wins / pairs if pairs else float("nan")


def _distinct(values: Array) -> Array:
    import numpy as np

    found: Array = np.unique(values)
    return found
