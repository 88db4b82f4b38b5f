"""How the values of a column are spread, read from its profile: shares of values, or a curve from least to greatest."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

_DURATION = re.compile(r"(-?)P(?:(-?\d+)D)?T?(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?[\d.]+)S)?")


class Curve(Struct, frozen=True):
    """Which share of a column's values is at most how large: straight lines between known points.

    Attributes:
        places: Values, rising; a value twice is a step.
        shares: The share at most as large as each, from 0 to 1.
    """

    places: tuple[float, ...]
    shares: tuple[float, ...]

    def __call__(self, value: float) -> float:
        """Returns the share of values that are at most so large."""
        at = bisect_right(self.places, value)
        if at == 0:
            return 0.0
        if at == len(self.places):
            return 1.0
        low, high = self.places[at - 1], self.places[at]
        part = (value - low) / (high - low)
        return self.shares[at - 1] + part * (self.shares[at] - self.shares[at - 1])

    def below(self, value: float) -> float:
        """Returns the share of values that are smaller."""
        at = next((at for at, place in enumerate(self.places) if place >= value), len(self.places))
        if at == len(self.places) or at == 0:
            return self.shares[0] if at == 0 and self.places[0] == value else float(at > 0)
        if self.places[at] == value:
            return self.shares[at]
        return self(value)


def curve_of(column: Mapping[str, Any]) -> Curve | None:
    """Returns the curve of a column of numbers or times; None where the profile knows none."""
    low, high = number_of(column.get("min")), number_of(column.get("max"))
    if low is None or high is None:
        return None
    if low == high:
        return Curve((low, low), (0.0, 1.0))
    points = {low: [0.0], high: [1.0]}
    histogram = column.get("histogram") or []
    total, seen = sum(histogram), 0
    for position, count in enumerate(histogram[:-1], 1):
        seen += count
        points.setdefault(low + (high - low) * position / len(histogram), []).append(seen / total)
    for share, place in (column.get("quantiles") or {}).items():
        value = number_of(place)
        if value is not None:
            points.setdefault(value, []).append(float(share))
    return _rising(points)


def _rising(points: Mapping[float, Sequence[float]]) -> Curve:
    """Returns the points as a curve that never falls; where one value has several shares, it is a step."""
    places: list[float] = []
    shares: list[float] = []
    for place in sorted(points):
        known = sorted(points[place])
        for share in (known[0], known[-1]) if len(known) > 1 else known:
            places.append(place)
            shares.append(max(share, shares[-1] if shares else 0.0))
    return Curve(tuple(places), tuple(shares))


def number_of(value: object) -> float | None:
    """Returns a number, an ISO time (seconds since 1970) or an ISO duration (seconds) as a float; None for others."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return _seconds(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _seconds(text: str) -> float | None:
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups()[1:])
    return (-1 if found[1] else 1) * (((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def shares_of(column: Mapping[str, Any], rows: int) -> dict[str, float] | None:
    """Returns the share of each frequent value among the values that are there; None where none are known."""
    top = column.get("top")
    present = rows - int(column.get("nulls", 0))
    if not isinstance(top, Sequence) or not top or present <= 0:
        return None
    return {str(value): count / present for value, count in top}


def is_complete(column: Mapping[str, Any]) -> bool:
    """Returns whether the frequent values are all the values that there are."""
    top = column.get("top")
    return isinstance(top, Sequence) and len(top) == column.get("distinct")
