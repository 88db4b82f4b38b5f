"""Metrics from predictions agree with scikit-learn's functions of the same names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from nbmlops.core.estimates import MEASURES
from nbmlops.data.held_out.measures import Ranking, value_of

ROWS = 400
GENERATOR = np.random.default_rng(7)
TRUTH = (GENERATOR.random(ROWS) < 0.3).astype("int8")
SCORES = np.round(np.clip(0.3 * TRUTH + 0.7 * GENERATOR.random(ROWS), 0, 1), 2)  # with ties
NUMBERS = GENERATOR.normal(1e6, 2.0, ROWS)
GUESSES = NUMBERS + GENERATOR.normal(0, 1.0, ROWS)
LABELS = SCORES >= 0.5


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", metrics.accuracy_score(TRUTH, LABELS)),
        ("error_rate", 1 - metrics.accuracy_score(TRUTH, LABELS)),
        ("precision", metrics.precision_score(TRUTH, LABELS)),
        ("sensitivity", metrics.recall_score(TRUTH, LABELS)),
        ("specificity", metrics.recall_score(TRUTH, LABELS, pos_label=0)),
        ("f1", metrics.f1_score(TRUTH, LABELS)),
        ("balanced_accuracy", metrics.balanced_accuracy_score(TRUTH, LABELS)),
        ("selection_rate", LABELS.mean()),
        ("brier", metrics.brier_score_loss(TRUTH, SCORES)),
        ("log_loss", metrics.log_loss(TRUTH, SCORES)),
        ("roc_auc", metrics.roc_auc_score(TRUTH, SCORES)),
    ],
)
def test_scores(name: str, expected: float) -> None:
    assert value_of(MEASURES[name], TRUTH, SCORES, 0.5) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mae", metrics.mean_absolute_error(NUMBERS, GUESSES)),
        ("mse", metrics.mean_squared_error(NUMBERS, GUESSES)),
        ("rmse", metrics.root_mean_squared_error(NUMBERS, GUESSES)),
        ("r2", metrics.r2_score(NUMBERS, GUESSES)),
    ],
)
def test_numbers(name: str, expected: float) -> None:
    assert value_of(MEASURES[name], NUMBERS, GUESSES, None) == pytest.approx(expected, rel=1e-9)


def test_labels_of_any_number_of_classes_have_an_accuracy() -> None:
    truth = np.array(["a", "b", "c", "a"], dtype=object)
    said = np.array(["a", "b", "b", "c"], dtype=object)
    assert value_of(MEASURES["accuracy"], truth, said, None) == 0.5


@pytest.mark.parametrize("name", ["auc", "precision", "r2"])
def test_what_is_not_defined_is_nan(name: str) -> None:
    zeros = np.zeros(5)
    assert math.isnan(value_of(MEASURES[name], zeros, zeros, 0.5))


@pytest.mark.parametrize(
    ("name", "truth", "said", "threshold", "message"),
    [
        ("auc", np.array([0, 1, 2]), np.array([0.1, 0.2, 0.3]), None, "not made of 0 and 1"),
        ("auc", np.array([0, 1]), np.array([0.1, np.nan]), None, "NaN or infinite"),
        ("auc", np.array([0, 1]), np.array(["a", "b"], dtype=object), None, "are labels"),
        ("accuracy", np.array([0, 1]), np.array([0.1, 0.7]), None, "no threshold was recorded"),
        ("brier", np.array([0, 1]), np.array([0.1, 1.7]), None, "no probabilities"),
        ("mae", np.array(["a"], dtype=object), np.array([1.0]), None, "the truth is made of labels"),
    ],
)
def test_what_cannot_be_computed_is_told(name: str, truth, said, threshold, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        value_of(MEASURES[name], truth, said, threshold)


def test_auc_of_weights_is_auc_of_copies() -> None:
    weights = np.random.default_rng(1).integers(0, 4, ROWS).astype(np.int32)
    copied = metrics.roc_auc_score(np.repeat(TRUTH, weights), np.repeat(SCORES, weights))
    assert Ranking(TRUTH == 1, SCORES).auc(weights) == pytest.approx(copied, rel=1e-12)


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        (np.array([0, 1]), np.array(["0", "1"], dtype=object), "one is made of texts"),
        (np.array(["a", "b"], dtype=object), np.array([0, 1]), "one is made of texts"),
        (np.array([0.0, 1.0]), np.array([0.2, 0.9]), "the predictions are scores"),
    ],
)
def test_labels_of_another_kind_are_not_wrong_but_a_problem(truth: Any, prediction: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        value_of(MEASURES["accuracy"], truth, prediction, None)


def test_labels_may_be_whole_floats() -> None:
    labels = np.array([1.0, 2.0, 3.0])
    assert value_of(MEASURES["accuracy"], labels, labels[[0, 1, 1]], None) == pytest.approx(2 / 3)
