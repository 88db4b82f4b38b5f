"""What the gate asks for: rules as plain records, and what can be wrong with a rule, as data.

Comes in: what `nbmlops.app.config` read from `nbmlops.toml`. Goes out: a `Policy` for `nbmlops.gate.evaluate`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

CHAMPION = "champion"


class Direction(StrEnum):
    """Which way a metric gets better."""

    HIGHER = "higher"
    LOWER = "lower"


_HIGHER = """
accuracy ap auc average_precision balanced_accuracy explained_variance f1 f1_macro f1_micro f1_score f1_weighted jaccard
kappa map mcc ndcg pr_auc precision r2 r2_score recall roc_auc roc_auc_score sensitivity specificity top_k_accuracy
"""
_LOWER = """
brier brier_score cross_entropy ece error error_rate hinge_loss log_loss logloss loss mae mape max_error
mean_absolute_error mean_absolute_percentage_error mean_squared_error median_absolute_error mse msle pinball_loss rmse
rmsle root_mean_squared_error smape wape
"""
KNOWN_DIRECTIONS = dict.fromkeys(_HIGHER.split(), Direction.HIGHER) | dict.fromkeys(_LOWER.split(), Direction.LOWER)
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "holdout", "eval", "cv"})
_SEPARATORS = str.maketrans("-/. ", "____")


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition on one metric: inclusive bounds, or a comparison with the champion.

    Attributes:
        name: Unique within a policy.
        metric: The name that the metric was logged under.
        min: The least value that passes.
        max: The greatest value that passes.
        baseline: "champion" for a relative rule, else "".
        max_drop: How much worse than the baseline the metric may be, in units of the metric; 0 means: not worse.
        max_drop_percent: The same in percent of the baseline's value.
        direction: Which way is better; None takes it from the metric's name.
        reason: Why the rule is there, in the user's words; shown when it fails.
    """

    name: str
    metric: str
    min: float | None = None
    max: float | None = None
    baseline: str = ""
    max_drop: float | None = None
    max_drop_percent: float | None = None
    direction: Direction | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules that a run must pass, in the order in which they are reported."""

    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleFault:
    """What is wrong with a rule: the key (as `nbmlops.toml` spells it, "" for the whole rule), why, and the edit."""

    key: str
    message: str
    hint: str = ""


def direction_of(rule: Rule) -> Direction | None:
    """Returns which way the rule's metric gets better, declared or known by name; None when nobody says."""
    return rule.direction or known_direction(rule.metric)


def known_direction(metric: str) -> Direction | None:
    """Returns the direction of a well-known metric; "test_auc", "auc_val" and "val/AUC" count as "auc"."""
    words = metric.lower().translate(_SEPARATORS).split("_")
    while len(words) > 1 and words[0] in _SPLITS:
        del words[0]
    while len(words) > 1 and words[-1] in _SPLITS:
        del words[-1]
    return KNOWN_DIRECTIONS.get("_".join(words))


def rule_faults(rule: Rule) -> tuple[RuleFault, ...]:
    """Returns everything that keeps a rule from having one meaning; () for a sound rule."""
    return tuple(_faults(rule))


def _faults(rule: Rule) -> Iterator[RuleFault]:
    if not rule.name.strip():
        yield RuleFault("name", "must not be empty", 'add name = "..."')
    if not rule.metric.strip():
        yield RuleFault("metric", "must name a metric, but is empty", 'add metric = "auc"')
    for key in ("min", "max", "max_drop", "max_drop_percent"):
        value = getattr(rule, key)
        if value is not None and not math.isfinite(value):
            yield RuleFault(key, f"must be a finite number, but is {value}")
    yield from _absolute_faults(rule) if not rule.baseline else _relative_faults(rule)
    if rule.direction is not None and rule.direction not in tuple(Direction):
        yield RuleFault("direction", f'must be "higher" or "lower", but is {rule.direction!r}')


def _absolute_faults(rule: Rule) -> Iterator[RuleFault]:
    if rule.min is None and rule.max is None:
        yield RuleFault(
            "", "a rule needs a threshold or a baseline", 'add min = NUMBER, or max = NUMBER, or baseline = "champion"'
        )
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        yield RuleFault("min", f"{rule.min} is greater than max = {rule.max}: no value can pass")
    for key in ("max_drop", "max_drop_percent"):
        if getattr(rule, key) is not None:
            yield RuleFault(key, "has a meaning only beside a baseline", 'add baseline = "champion"')


def _relative_faults(rule: Rule) -> Iterator[RuleFault]:
    if rule.baseline != CHAMPION:
        near = get_close_matches(rule.baseline, [CHAMPION], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f'write baseline = "{CHAMPION}"'
        yield RuleFault("baseline", f"must be {CHAMPION!r}, but is {rule.baseline!r}", hint)
    for key in ("min", "max"):
        if getattr(rule, key) is not None:
            yield RuleFault(key, "a rule has a threshold or a baseline, not both", "write two rules")
    if rule.max_drop is not None and rule.max_drop_percent is not None:
        yield RuleFault("max_drop_percent", "a rule has max_drop or max_drop_percent, not both", "keep one of them")
    for key in ("max_drop", "max_drop_percent"):
        value = getattr(rule, key)
        if value is not None and value < 0:
            yield RuleFault(key, f"must be 0 or more, but is {value}", "0 means: never worse")
    if direction_of(rule) is None:
        yield RuleFault(
            "direction",
            f"whether {rule.metric!r} should be high or low is not known",
            'add direction = "higher" or direction = "lower"',
        )
