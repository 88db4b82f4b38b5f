"""The paired bootstrap against scipy's, and against drawing rows one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from nbmlops.core.estimates import MEASURES, Estimate
from nbmlops.data.held_out.resampling import Plan, Sides, estimate

ROWS = 300
GENERATOR = np.random.default_rng(11)
TRUTH = (GENERATOR.random(ROWS) < 0.4).astype("int8")
ONE = np.clip(0.35 * TRUTH + 0.6 * GENERATOR.random(ROWS), 0, 1)
OTHER = np.clip(ONE + GENERATOR.normal(0, 0.15, ROWS), 0, 1)
SIDES = Sides(TRUTH, ONE, OTHER, (0.5, 0.5))
RESAMPLES = 2000

REFERENCE = {
    "brier": metrics.brier_score_loss,
    "log_loss": metrics.log_loss,
    "rmse": metrics.root_mean_squared_error,
    "auc": metrics.roc_auc_score,
    "f1": lambda truth, scores: metrics.f1_score(truth, scores >= 0.5),
    "accuracy": lambda truth, scores: metrics.accuracy_score(truth, scores >= 0.5),
}


def drawn_by_rows(name: str) -> np.ndarray:
    """Returns the differences of a plain paired bootstrap: rows drawn, scikit-learn's metric computed."""
    generator = np.random.default_rng(5)
    found = []
    for _ in range(300):
        rows = generator.integers(0, ROWS, ROWS)
        found.append(REFERENCE[name](TRUTH[rows], ONE[rows]) - REFERENCE[name](TRUTH[rows], OTHER[rows]))
    return np.array(found)


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_the_interval_is_that_of_drawing_rows(name: str) -> None:
    found = estimate(MEASURES[name], SIDES, "", Plan(RESAMPLES))
    differences = drawn_by_rows(name)
    spread = differences.std()
    assert found.gain == pytest.approx(REFERENCE[name](TRUTH, ONE) - REFERENCE[name](TRUTH, OTHER), rel=1e-9)
    # Ends of 300 draws scatter by about 0.12 of the spread: four times that is no chance.
    assert found.low == pytest.approx(np.quantile(differences, 0.05), abs=0.48 * spread)
    assert found.high == pytest.approx(np.quantile(differences, 0.95), abs=0.48 * spread)


def test_the_interval_of_a_mean_is_scipys() -> None:
    found = estimate(MEASURES["brier"], SIDES, "", Plan(RESAMPLES))
    losses = (ONE - TRUTH) ** 2 - (OTHER - TRUTH) ** 2
    reference = stats.bootstrap(
        (losses,), np.mean, n_resamples=RESAMPLES, confidence_level=0.9, method="percentile", rng=3
    )
    spread = reference.standard_error
    assert found.low == pytest.approx(reference.confidence_interval.low, abs=0.2 * spread)
    assert found.high == pytest.approx(reference.confidence_interval.high, abs=0.2 * spread)


def test_the_same_seed_gives_the_same_numbers_and_another_one_others() -> None:
    plans = [Plan(200, seed) for seed in (1, 1, 2)]
    one, again, other = (estimate(MEASURES["auc"], SIDES, "", plan) for plan in plans)
    assert one == again
    assert one.low != other.low


def test_lower_is_better_turns_the_sign() -> None:
    lower = estimate(MEASURES["brier"], SIDES, "", Plan(200), higher=False)
    higher = estimate(MEASURES["brier"], SIDES, "", Plan(200))
    assert (lower.gain, lower.low, lower.high) == pytest.approx((-higher.gain, -higher.high, -higher.low))


def test_equal_predictions_have_a_gain_of_nothing() -> None:
    for name in ("auc", "brier", "accuracy"):
        found = estimate(MEASURES[name], Sides(TRUTH, ONE, ONE, (0.5, 0.5)), "", Plan(200))
        assert (found.gain, found.low, found.high) == (0.0, 0.0, 0.0)


def test_a_class_with_few_rows_is_told() -> None:
    truth = np.array([1] + [0] * 40)
    scores = np.linspace(0, 1, 41)
    found = estimate(MEASURES["auc"], Sides(truth, scores, scores[::-1]), "few", Plan(400))
    assert found.low is None
    assert found.problem.startswith("too few rows of a class: it is undefined in 3")


def test_one_class_alone_has_no_auc() -> None:
    zeros = np.zeros(40)
    found = estimate(MEASURES["auc"], Sides(zeros, zeros, zeros), "x", Plan(100))
    assert found == Estimate("x", 40, problem="it is not defined on these rows")
