"""What a model that knows nothing says of some rows: the baseline of the data themselves.

The constant is the best one for the very rows that are judged, so beating it is not easier than beating one that was
taken from the training data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def know_nothing(metric: str, truth: Array, prediction: Array, threshold: float | None) -> Array:
    """Returns one constant for each row: the mean of the truth, its median for MAE, or its most frequent label.

    Args:
        metric: What will be computed.
        truth: What was right.
        prediction: What the candidate said, which tells whether scores, numbers or labels are asked for.
        threshold: From which score a row counts as positive.
    """
    import numpy as np

    count = len(truth)
    is_label = threshold is None and prediction.dtype.kind != "f"
    if is_label or truth.dtype.kind not in "biuf":
        labels, counts = np.unique(truth.astype(str) if truth.dtype.kind == "O" else truth, return_counts=True)
        most = labels[int(np.argmax(counts))]
        return np.full(count, most, dtype=truth.dtype if truth.dtype.kind != "O" else object)
    middle = np.median if metric == "mae" else np.mean
    return np.full(count, float(middle(truth.astype(np.float64)))) if count else np.empty(0)
