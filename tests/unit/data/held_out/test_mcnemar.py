"""McNemar's test against scipy and statsmodels."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar as reference

from nbmlops.data.held_out.mcnemar import mcnemar


@pytest.mark.parametrize(("won", "lost"), [(0, 3), (3, 0), (3, 1), (12, 7), (60, 40), (700, 600), (5030, 4970)])
def test_the_exact_tail_is_the_binomial_one(won: int, lost: int) -> None:
    expected = binomtest(won, won + lost, 0.5, alternative="greater").pvalue
    assert mcnemar(won, lost) == pytest.approx(expected, rel=1e-10)


def test_two_sided_it_is_that_of_statsmodels() -> None:
    for won, lost in ((12, 7), (60, 40)):
        two_sided = reference([[500, won], [lost, 300]], exact=True).pvalue
        assert 2 * mcnemar(won, lost) == pytest.approx(two_sided, rel=1e-10)


def test_many_discordant_rows_take_the_normal_tail() -> None:
    won, lost = 6100, 5900
    two_sided = reference([[500, won], [lost, 300]], exact=False, correction=True).pvalue
    assert 2 * mcnemar(won, lost) == pytest.approx(two_sided, rel=1e-10)
    exact = binomtest(won, won + lost, 0.5, alternative="greater").pvalue
    assert mcnemar(won, lost) == pytest.approx(exact, abs=1e-5)


def test_no_discordant_rows_show_nothing() -> None:
    assert mcnemar(0, 0) == 1.0
