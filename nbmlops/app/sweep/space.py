"""The points of a sweep: which values each parameter takes, and which combinations are tried. Pure."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Mapping

from msgspec import Struct

from nbmlops.core.diagnostics import Json

Point = Mapping[str, Json]

_DRAWS_PER_POINT = 50


class Choices(Struct, frozen=True):
    """The values to try."""

    values: tuple[Json, ...]


class Range(Struct, frozen=True):
    """Numbers from `low` to `high`, both included.

    Attributes:
        low: The least.
        high: The greatest.
        step: The distance between neighbours; None for any number (any whole one, where `integral`).
        log: Draw evenly over the magnitudes rather than over the numbers.
        integral: Whole numbers only.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False
    integral: bool = False


Axis = Choices | Range
Space = Mapping[str, Axis]


def grid(space: Space) -> tuple[Point, ...]:
    """Returns every combination, the last parameter changing fastest; ranges need a step."""
    values = [listed(axis) for axis in space.values()]
    return tuple(dict(zip(space, combination, strict=True)) for combination in itertools.product(*values))


def size(space: Space) -> int | None:
    """Returns the number of combinations, None when there is no end of them."""
    if not all(is_listed(axis) for axis in space.values()):
        return None
    return math.prod(len(listed(axis)) for axis in space.values())


def is_listed(axis: Axis) -> bool:
    """Returns whether the values of the axis can be counted up."""
    return isinstance(axis, Choices) or axis.step is not None or (axis.integral and not axis.log)


def listed(axis: Axis) -> tuple[Json, ...]:
    """Returns the values of an axis that can be counted up."""
    if isinstance(axis, Choices):
        return axis.values
    step = axis.step or 1
    count = math.floor((axis.high - axis.low) / step + 1e-9) + 1
    return tuple(_number(axis, axis.low + position * step) for position in range(count))


def draw(space: Space, points: int, seed: int) -> tuple[Point, ...]:
    """Returns different combinations in random order, the same ones for the same seed; fewer if there are no more."""
    generator = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    drawn: dict[str, Point] = {}
    for _ in range(_DRAWS_PER_POINT * points):
        if len(drawn) == points:
            break
        point = {name: _drawn(axis, generator) for name, axis in space.items()}
        drawn.setdefault(json.dumps(point, sort_keys=True), point)
    return tuple(drawn.values())


def _drawn(axis: Axis, generator: random.Random) -> Json:
    if is_listed(axis):
        return generator.choice(listed(axis))
    assert isinstance(axis, Range)
    if not axis.log:
        return generator.uniform(axis.low, axis.high)
    # Whole numbers get the share of the magnitudes that lies between their neighbours' halves.
    half = 0.5 if axis.integral else 0.0
    drawn = math.exp(generator.uniform(math.log(axis.low - half), math.log(axis.high + half)))
    return _number(axis, min(max(drawn, axis.low), axis.high))


def _number(axis: Range, value: float) -> Json:
    if axis.integral:
        return round(value)
    return float(f"{value:.15g}")  # 0.1 + 2 * 0.1 is meant to be 0.3
