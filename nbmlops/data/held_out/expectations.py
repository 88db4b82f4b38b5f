"""What behaviour tests expect of predictions: that they stay, or that they move one way, when rows are changed.

The kinds are those of CheckList (Ribeiro, Wu, Guestrin and Singh, "Beyond Accuracy: Behavioral Testing of NLP Models
with CheckList", ACL 2020): invariance (INV) and directional expectation (DIR) tests.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nbmlops.core.errors import UsageError
from nbmlops.core.records import Expectation

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

DIRECTIONS = ("up", "down")
_MOST_EXAMPLES = 3


def invariance(before: object, after: object, within: float, allowed: float) -> Expectation:
    """Returns on how many rows predictions changed though they should not; a missing one counts as a change.

    Args:
        before: For each row what the model says: a number, a label, or a row of probabilities.
        after: The same for rows that were changed in a way that should not matter.
        within: How far a number may move.
        allowed: Which share of rows may break it.

    Raises:
        UsageError: there are no rows, not as many on both sides, or a bound makes no sense.
    """
    one, other = _sides(before, after)
    _check(allowed, within, least=0.0)
    if one.dtype.kind in "biuf" and other.dtype.kind in "biuf":
        # Without a distance they are compared as they are: as floats, great integers would be one another.
        kept = abs(other.astype("float64") - one.astype("float64")) <= within if within else one == other
        asked = f"changes by at most {within:.6g}" if within else "does not change"
    elif within:
        raise UsageError("labels have no distance, so `within` says nothing of them", "leave it out")
    else:
        kept, asked = (one.astype(str) == other.astype(str)) & ~_missing(one) & ~_missing(other), "does not change"
    kept = kept.all(axis=1) if kept.ndim == 2 else kept
    return _expectation("invariance", asked, (one, other), kept, (allowed, _labels(before, len(one))))


def directional(before: object, after: object, towards: str, by: float, allowed: float) -> Expectation:
    """Returns on how many rows predictions did not move the way they should; NaN counts as such a row.

    Args:
        before: For each row the number that the model says.
        after: The same for rows that were changed in a way that should move it.
        towards: "up" or "down".
        by: How far each has to move at least; 0 lets it stay, less than 0 lets it move the other way by that much.
        allowed: Which share of rows may break it.

    Raises:
        UsageError: there are no rows, not as many on both sides, they are no numbers, or a bound makes no sense.
    """
    one, other = _sides(before, after)
    _check(allowed, by, least=float("-inf"))
    if towards not in DIRECTIONS:
        raise UsageError(f"predictions move up or down, but not {towards!r}", 'write "up" or "down"')
    if one.ndim != 1 or one.dtype.kind not in "biuf" or other.dtype.kind not in "biuf":
        hint = "give one number for each row: of probabilities that of the positive class, proba[:, 1]"
        raise UsageError("only numbers move up or down", hint)
    moved = other.astype("float64") - one.astype("float64")
    kept = (moved if towards == "up" else -moved) >= by
    least = f"goes {towards} by at least {by:.6g}" if by > 0 else ""
    other_way = "down" if towards == "up" else "up"
    most = f"does not go {other_way}" + (f" by more than {-by:.6g}" if by < 0 else "")
    return _expectation("directional", least or most, (one, other), kept, (allowed, _labels(before, len(one))))


def _sides(before: object, after: object) -> tuple[Array, Array]:
    import numpy as np

    found = []
    for side in (before, after):
        value: Any = side
        array = np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)
        found.append(array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array)
    one, other = found
    if one.ndim not in {1, 2} or one.shape != other.shape:
        raise UsageError(
            f"the predictions before and after have different shapes: {one.shape} and {other.shape}",
            "predict for the same rows, once as they are and once changed",
        )
    if not one.size:
        raise UsageError("there are no rows, so nothing is shown of them", "give rows that the test is about")
    return one, other


def _check(allowed: float, bound: float, *, least: float) -> None:
    if not 0 <= allowed < 1:
        raise UsageError(f"the share of rows that may break it lies between 0 and 1, but is {allowed}", "allowed=0.05")
    if not (math.isfinite(bound) and bound >= least):
        raise UsageError(f"a distance is a finite number, 0 or more, but is {bound}")


def _missing(labels: Array) -> Array:
    """Returns where there is no label: None, NaN, NaT or pandas' NA, which are equal as texts."""
    import pandas as pd

    missing: Array = pd.isna(labels)
    return missing


def _labels(before: object, count: int) -> Any:
    """Returns what rows are called: the index of a frame or column of pandas, else their places."""
    index: Any = getattr(before, "index", None)
    return index if hasattr(index, "is_unique") and len(index) == count else range(count)


def _expectation(
    kind: str, asked: str, sides: tuple[Array, Array], kept: Array, rest: tuple[float, Any]
) -> Expectation:
    import numpy as np

    allowed, labels = rest
    places = np.flatnonzero(~kept)[:_MOST_EXAMPLES]
    examples = tuple(
        f"row {str(labels[int(at)])[:40]}: {_shown(sides[0][at])} -> {_shown(sides[1][at])}" for at in places
    )
    return Expectation(kind, asked, len(kept), int((~kept).sum()), float(allowed), examples)


def _shown(value: Any) -> str:
    if getattr(value, "ndim", 0):
        return f"[{', '.join(map(_shown, value.tolist()[:5]))}]"
    return f"{value:.4g}" if isinstance(value, float) else f"{value!s:.40}"
