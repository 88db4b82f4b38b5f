"""How honest scores are: rows in bins of equal size by their score, and the share of each that came true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BINS = 10


class CalibrationBin(Struct, frozen=True):
    """Rows with similar scores: the mean score, the share of positive rows, and how many rows there are."""

    score: float
    share: float
    rows: int


def calibration(positive: Array, scores: Array) -> tuple[CalibrationBin, ...]:
    """Returns at most ten bins of equally many rows, from the lowest scores to the highest.

    Args:
        positive: Whether each row is positive.
        scores: Its score.
    """
    import numpy as np

    order = np.argsort(scores, kind="stable")
    return tuple(
        CalibrationBin(float(scores[rows].mean()), float(positive[rows].mean()), len(rows))
        for rows in np.array_split(order, BINS)
        if len(rows)
    )
