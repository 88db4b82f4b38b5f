"""Metric values as the gate takes them and as people read them."""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Real


def as_number(value: object) -> float | None:
    """Returns a real number of any library as a float (0.0 for -0.0); None for everything else, booleans among it."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value) + 0.0
    except OverflowError:  # an integer beyond every float: infinite for us, and so refused by every rule
        return math.inf


def exact(value: float) -> Fraction:
    """Returns the decimal number that the float is written as."""
    return Fraction(repr(float(value)))


def show_number(value: float | Fraction | None, digits: int = 6) -> str:
    """Returns a number with at most so many digits; "-" for none."""
    if value is None:
        return "-"
    try:
        number = float(value) + 0.0
    except OverflowError:
        return "inf" if value > 0 else "-inf"
    return "NaN" if math.isnan(number) else f"{number:.{digits}g}"


def show_in_full(value: float) -> str:
    """Returns a number with all its digits, as a user would have written it: 5 for 5.0."""
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def show_apart(one: Fraction, other: Fraction) -> tuple[str, str]:
    """Returns two different numbers with as many digits as it takes to see which is greater."""
    for digits in range(6, 18):
        texts = show_number(one, digits), show_number(other, digits)
        if texts[0] != texts[1]:
            return texts
    return str(one), str(other)
