"""What is known of a metric on some held-out rows: `nbmlops.data` computes it, the gate decides on it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """What a metric is made of, which decides how it is resampled."""

    LABELS = "labels"
    MEANS = "means"
    RANKS = "ranks"
    FAIRNESS = "fairness"


_ALIASES = """
labels accuracy error_rate balanced_accuracy precision recall=recall,sensitivity specificity f1=f1,f1_score
labels selection_rate
means brier=brier,brier_score log_loss=log_loss,logloss,cross_entropy mae=mae,mean_absolute_error
means mse=mse,mean_squared_error rmse=rmse,root_mean_squared_error r2=r2,r2_score
ranks auc=auc,roc_auc,roc_auc_score
fairness demographic_parity_difference equalized_odds_difference
"""


class Measure(Struct, frozen=True):
    """A metric that can be computed from predictions: the one name that we use for it, and what it is made of."""

    name: str
    kind: Kind


def _measures() -> dict[str, Measure]:
    found = {}
    for line in _ALIASES.strip().splitlines():
        kind, *words = line.split()
        for word in words:
            name, _, others = word.partition("=")
            found.update(dict.fromkeys((others or name).split(","), Measure(name, Kind(kind))))
    return found


MEASURES: Mapping[str, Measure] = _measures()
"""By each of its names."""


class Estimate(Struct, frozen=True):
    """A metric of the candidate on the rows of one slice, beside that of the baseline on the same rows.

    Attributes:
        slice: What the rows have in common, as people read it; "" for all rows.
        rows: How many they are.
        value: The candidate's metric; None where it is not defined.
        baseline: The baseline's metric; None where there is none, or it is not defined.
        gain: How much better the candidate is, in the metric's units; negative where it is worse.
        low: Lower end of the interval of the gain; None where nothing was resampled.
        high: Upper end of it.
        p_value: Of McNemar's test that the candidate is not better; None where it was not asked for.
        discordant: Rows that only the candidate got right, and rows that only the baseline got right.
        problem: Why something of this is not known, as a sentence; "" where all is.
    """

    slice: str
    rows: int
    value: float | None = None
    baseline: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    discordant: tuple[int, int] | None = None
    problem: str = ""
