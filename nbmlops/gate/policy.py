"""What the gate asks for: rules as plain records. What can be wrong with a rule: `nbmlops.gate.rule_faults`.

Comes in: what `nbmlops.app.config.config` read from `nbmlops.toml`. Goes out: a `Policy` for `nbmlops.gate.evaluate`.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from nbmlops.core.estimates import MEASURES, Kind, Measure

CHAMPION = "champion"
DATASET = "dataset"
HELD_OUT = "held_out"
MIN_ROWS = 30
_NAMED_VERSION = re.compile(r"version \d{1,9}|@[\w.-]{1,100}")


class Direction(StrEnum):
    """Which way a metric gets better."""

    HIGHER = "higher"
    LOWER = "lower"


_HIGHER = """
accuracy ap auc average_precision balanced_accuracy explained_variance f1 f1_macro f1_micro f1_score f1_weighted jaccard
kappa map mcc ndcg pr_auc precision r2 r2_score recall roc_auc roc_auc_score sensitivity specificity top_k_accuracy
"""
_LOWER = """
brier brier_score cross_entropy demographic_parity_difference ece equalized_odds_difference
error error_rate hinge_loss log_loss logloss loss mae mape max_error
mean_absolute_error mean_absolute_percentage_error mean_squared_error median_absolute_error mse msle pinball_loss rmse
rmsle root_mean_squared_error smape wape
"""
KNOWN_DIRECTIONS = dict.fromkeys(_HIGHER.split(), Direction.HIGHER) | dict.fromkeys(_LOWER.split(), Direction.LOWER)
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "holdout", "eval", "cv"})
_SEPARATORS = str.maketrans("-/. ", "____")


class ClaimKind(StrEnum):
    """What must be shown of the candidate beside its baseline on the same rows."""

    BETTER = "better"
    NOT_WORSE = "not worse"


class Method(StrEnum):
    """How a claim is tested."""

    BOOTSTRAP = "bootstrap"
    MCNEMAR = "mcnemar"


class Claim(Struct, frozen=True):
    """A statistical claim about candidate and baseline on the same held-out rows.

    Attributes:
        kind: What must be shown.
        margin: By how much better the candidate must be, or how much worse it may be, in units of the metric.
        method: How it is tested.
        confidence: How sure it must be: with 0.95 one of 20 candidates that lie on the margin passes.
        resamples: How often rows are drawn again.
        seed: Of the drawing.
    """

    kind: ClaimKind
    margin: float = 0.0
    method: Method = Method.BOOTSTRAP
    confidence: float = 0.95
    resamples: int = 1000
    seed: int = 0


class Sample(Struct, frozen=True):
    """Which recorded rows a rule is about, and how they are cut.

    Attributes:
        predictions: The name that they were logged under.
        where: A condition that rows must fulfil, or "".
        slice_by: A column: the rule holds for each of its values; "" for all rows together.
        bins: Edges of intervals of that column; () for its values.
        min_rows: How many rows a slice needs.
        small_slices: What becomes of a rule with a slice that has fewer: "fail", or "leave out" the slice.
        max_gap: How far the best and the worst slice may be apart; None for any distance.
    """

    predictions: str = HELD_OUT
    where: str = ""
    slice_by: str = ""
    bins: tuple[float, ...] = ()
    min_rows: int = MIN_ROWS
    small_slices: str = "fail"
    max_gap: float | None = None


class Rule(Struct, frozen=True):
    """One condition on one metric or fact: inclusive bounds, or a comparison with a baseline.

    Attributes:
        name: Unique within a policy.
        metric: The name that the metric was logged under; of rules with a sample, what is computed; "" for a fact.
        min: The least value that passes.
        max: The greatest value that passes.
        baseline: "champion", "version 3", "@challenger" or "dataset" for a relative rule, else "".
        max_drop: How much worse than the baseline the metric may be, in units of the metric; 0 means: not worse.
        max_drop_percent: The same in percent of the baseline's value.
        direction: Which way is better; None takes it from the metric's name.
        reason: Why the rule is there, in the user's words; shown when it fails.
        min_gain: How much better than the baseline the metric must be, in units of the metric.
        min_gain_percent: The same in percent of the baseline's value.
        claim: What must be shown of the difference to the baseline; None for a comparison of two numbers.
        sample: Which rows are judged; None for a metric as it was logged.
        fact: What nbmlops knows of the run by itself, such as "leaked_rows"; "" for a metric.
        of: Which data or schema the fact is about; "" for all.
    """

    name: str
    metric: str = ""
    min: float | None = None
    max: float | None = None
    baseline: str = ""
    max_drop: float | None = None
    max_drop_percent: float | None = None
    direction: Direction | None = None
    reason: str = ""
    min_gain: float | None = None
    min_gain_percent: float | None = None
    claim: Claim | None = None
    sample: Sample | None = None
    fact: str = ""
    of: str = ""


class Policy(Struct, frozen=True):
    """All rules that a run must pass, in the order in which they are reported."""

    rules: tuple[Rule, ...] = ()

    @property
    def of_logged_metrics(self) -> Policy:
        """The rules for which metrics and champion are evidence enough."""
        plain = (rule for rule in self.rules if rule.sample is None and not rule.fact)
        return Policy(tuple(rule for rule in plain if not is_named_version(rule.baseline)))


def direction_of(rule: Rule) -> Direction | None:
    """Returns which way the rule's metric gets better, declared or known by name; None when nobody says."""
    return rule.direction or known_direction(rule.metric)


def known_direction(metric: str) -> Direction | None:
    """Returns the direction of a well-known metric; "test_auc", "auc_val" and "val/AUC" count as "auc"."""
    return KNOWN_DIRECTIONS.get(_plain(metric))


def _plain(metric: str) -> str:
    words = metric.lower().translate(_SEPARATORS).split("_")
    while len(words) > 1 and words[0] in _SPLITS:
        del words[0]
    while len(words) > 1 and words[-1] in _SPLITS:
        del words[-1]
    return "_".join(words)


def measure_of(rule: Rule) -> Measure | None:
    """Returns what is computed for a rule with a sample; None for a metric that cannot be computed from predictions."""
    return MEASURES.get(_plain(rule.metric))


def is_fairness(rule: Rule) -> bool:
    """Returns whether the rule's metric is one of differences between groups."""
    measure = measure_of(rule)
    return rule.sample is not None and measure is not None and measure.kind is Kind.FAIRNESS


def is_named_version(baseline: str) -> bool:
    """Returns whether a baseline is a version by its number or alias: "version 3", "@challenger"."""
    return _NAMED_VERSION.fullmatch(baseline) is not None
