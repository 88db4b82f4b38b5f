"""McNemar's test: of the rows that only one of two classifiers got right, does one get more than by chance?"""

from __future__ import annotations

import math

_MOST_EXACT = 10_000
"""Discordant rows up to which the binomial tail is summed exactly; beyond, a normal tail is close enough."""


def mcnemar(won: int, lost: int) -> float:
    """Returns the one-sided p-value: how probable so many won rows or more are if both are equally good.

    The exact binomial tail (McNemar 1947) up to 10,000 discordant rows; beyond, the normal tail with a correction for
    continuity. 1.0 where no row is discordant.

    Args:
        won: Rows that only the candidate got right.
        lost: Rows that only the baseline got right.
    """
    count = won + lost
    if count > _MOST_EXACT:
        return 0.5 * math.erfc((won - lost - 1) / math.sqrt(2 * count))
    tail, term = 0, math.comb(count, won)
    for place in range(won, count + 1):
        tail += term
        term = term * (count - place) // (place + 1)
    # Neither number may fit into a float; their quotient does.
    shift = max(0, tail.bit_length() - 64)
    return min(1.0, math.ldexp(tail >> shift, shift - count))
