from __future__ import annotations

import math

import pytest

from nbmlops.gate.policy import Direction, Rule, RuleFault, direction_of, known_direction, rule_faults


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("auc", Direction.HIGHER),
        ("test_auc", Direction.HIGHER),
        ("val/ROC-AUC", Direction.HIGHER),
        ("accuracy_holdout", Direction.HIGHER),
        ("rmse", Direction.LOWER),
        ("mean_absolute_error", Direction.LOWER),
        ("test log loss", Direction.LOWER),
        ("test", None),
        ("risk_score", None),
        ("", None),
    ],
)
def test_directions_of_well_known_metrics(metric: str, direction: Direction | None) -> None:
    assert known_direction(metric) is direction


def test_a_declared_direction_wins_over_the_known_one() -> None:
    assert direction_of(Rule("r", "auc", min=0.5, direction=Direction.LOWER)) is Direction.LOWER


@pytest.mark.parametrize(
    "rule",
    [
        Rule("r", "auc", min=0.7),
        Rule("r", "anything", max=3),
        Rule("r", "ratio", min=0.9, max=1.1),
        Rule("r", "auc", baseline="champion"),
        Rule("r", "auc", baseline="champion", max_drop=0.0),
        Rule("r", "odd", baseline="champion", max_drop_percent=5, direction=Direction.LOWER),
    ],
)
def test_sound_rules_have_no_fault(rule: Rule) -> None:
    assert rule_faults(rule) == ()


@pytest.mark.parametrize(
    ("rule", "faults"),
    [
        (
            Rule("r", "auc"),
            [
                RuleFault(
                    "",
                    "a rule needs a threshold or a baseline",
                    'add min = NUMBER, or max = NUMBER, or baseline = "champion"',
                )
            ],
        ),
        (Rule("r", "auc", min=math.nan), [RuleFault("min", "must be a finite number, but is nan")]),
        (Rule("r", "auc", min=2, max=1), [RuleFault("min", "2 is greater than max = 1: no value can pass")]),
        (
            Rule(" ", "", min=2),
            [
                RuleFault("name", "must not be empty", 'add name = "..."'),
                RuleFault("metric", "must name a metric, but is empty", 'add metric = "auc"'),
            ],
        ),
        (
            Rule("r", "auc", min=0.5, max_drop=0.1),
            [RuleFault("max_drop", "has a meaning only beside a baseline", 'add baseline = "champion"')],
        ),
        (
            Rule("r", "auc", baseline="champoin"),
            [RuleFault("baseline", "must be 'champion', but is 'champoin'", "did you mean 'champion'?")],
        ),
        (
            Rule("r", "lift", baseline="champion", min=1.0, max_drop=-1.0, max_drop_percent=1.0),
            [
                RuleFault("min", "a rule has a threshold or a baseline, not both", "write two rules"),
                RuleFault("max_drop_percent", "a rule has max_drop or max_drop_percent, not both", "keep one of them"),
                RuleFault("max_drop", "must be 0 or more, but is -1.0", "0 means: never worse"),
                RuleFault(
                    "direction",
                    "whether 'lift' should be high or low is not known",
                    'add direction = "higher" or direction = "lower"',
                ),
            ],
        ),
    ],
)
def test_faults_name_the_key_and_the_edit(rule: Rule, faults: list[RuleFault]) -> None:
    assert list(rule_faults(rule)) == faults
