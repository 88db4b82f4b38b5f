"""How far the values of a column have moved, from two profiles alone: distance, stability index, and a picture.

The distance is that of Kolmogorov and Smirnov for numbers and times, and the total variation for values that are
counted: 0 for the same spread, 1 for none in common. The population stability index counts ten bins of equal share
of the older version, or the values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from nbmlops.data.profiles.shares import Curve, curve_of, is_complete, number_of, shares_of

BINS = 20
SOME, STRONG = 0.1, 0.25
"""Above these a stability index is taken for some drift, and for strong drift."""
_LEAST = 1e-4
_OTHERS = "others"


class Drift(Struct, frozen=True):
    """How far the values of one column have moved.

    Attributes:
        distance: From 0 (the same spread) to 1 (nothing in common).
        stability: The population stability index.
        labels: What the bars of the picture stand for: values, or the two ends of the range.
        before: Shares of the older version.
        after: Shares of the newer one.
    """

    distance: float
    stability: float
    labels: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def level(self) -> str:
        """What the stability index says in a word: "none", "some" or "strong"."""
        return "strong" if self.stability > STRONG else "some" if self.stability > SOME else "none"


def drift_between(before: Mapping[str, Any], after: Mapping[str, Any], rows: tuple[int, int]) -> Drift | None:
    """Returns how far a column moved; None where the profiles do not tell.

    Args:
        before: The column's profile in the older version.
        after: Likewise in the newer one.
        rows: How many rows the two versions have.
    """
    counted = [shares_of(column, count) for column, count in zip((before, after), rows, strict=True)]
    curves = [curve_of(before), curve_of(after)]
    if counted[0] is not None and counted[1] is not None and not (curves[0] and not _both_complete(before, after)):
        return _of_values(before, after, (counted[0], counted[1]))
    if curves[0] is not None and curves[1] is not None:
        return _of_curves(curves[0], curves[1], _ends(before, after))
    return None


def _both_complete(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return is_complete(before) and is_complete(after)


def _of_values(
    before: Mapping[str, Any], after: Mapping[str, Any], counted: tuple[dict[str, float], dict[str, float]]
) -> Drift:
    """Compares shares of values; a value whose share one side does not tell is one of the others."""
    known = [
        value
        for value in dict.fromkeys([*counted[0], *counted[1]])
        if (value in counted[0] or is_complete(before)) and (value in counted[1] or is_complete(after))
    ]
    known = _in_order(known)
    shares = [[side.get(value, 0.0) for value in known] for side in counted]
    rest = [max(0.0, 1.0 - sum(side)) for side in shares]
    labels = list(known)
    if max(rest) > _LEAST:
        labels.append(_OTHERS)
        for side, others in zip(shares, rest, strict=True):
            side.append(others)
    distance = sum(abs(left - right) for left, right in zip(*shares, strict=True)) / 2
    return Drift(min(1.0, distance), _stability(*shares), tuple(labels), tuple(shares[0]), tuple(shares[1]))


def _in_order(values: list[str]) -> list[str]:
    """Returns values that are numbers by size, others as they come: the most frequent first."""
    try:
        return sorted(values, key=float)
    except ValueError:
        return values


def _of_curves(before: Curve, after: Curve, ends: tuple[str, str]) -> Drift:
    places = sorted({*before.places, *after.places})
    distance = max(
        max(abs(before(place) - after(place)), abs(before.below(place) - after.below(place))) for place in places
    )
    low, high = places[0], places[-1]
    edges = [low + (high - low) * position / BINS for position in range(1, BINS)] if high > low else []
    return Drift(
        distance=distance,
        stability=_stability(*(_between(curve, _tenths(before)) for curve in (before, after))),
        labels=ends,
        before=tuple(_between(before, edges)),
        after=tuple(_between(after, edges)),
    )


def _tenths(curve: Curve) -> list[float]:
    """Returns the values below which a tenth, two tenths, … of a column are; equal ones once."""
    found = []
    for tenth in range(1, 10):
        at = next(at for at, share in enumerate(curve.shares) if share >= tenth / 10)
        low, high = curve.shares[max(at - 1, 0)], curve.shares[at]
        part = (tenth / 10 - low) / (high - low) if high > low else 1.0
        start = curve.places[max(at - 1, 0)]
        found.append(start + part * (curve.places[at] - start))
    return sorted(set(found))


def _between(curve: Curve, edges: Sequence[float]) -> list[float]:
    """Returns the shares up to the first edge, from there to the next, …, and above the last."""
    known = [0.0, *(curve(edge) for edge in edges), 1.0]
    return [high - low for low, high in pairwise(known)]


def _stability(before: Sequence[float], after: Sequence[float]) -> float:
    pairs = [(max(left, _LEAST), max(right, _LEAST)) for left, right in zip(before, after, strict=True)]
    return sum((right - left) * math.log(right / left) for left, right in pairs)


def _ends(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, str]:
    low = min((before["min"], after["min"]), key=_key)
    high = max((before["max"], after["max"]), key=_key)
    return _shown(low), _shown(high)


def _key(value: object) -> float:
    return number_of(value) or 0.0


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
