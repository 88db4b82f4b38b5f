from __future__ import annotations

import math

import pytest

from nbmlops.gate.policy import Claim, ClaimKind, Direction, Method, Rule, Sample, direction_of, known_direction
from nbmlops.gate.rule_faults import RuleFault, rule_faults


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
            [
                RuleFault(
                    "baseline",
                    """must be "champion", "dataset", "version 3" or "@challenger", but is 'champoin'""",
                    "did you mean 'champion'?",
                )
            ],
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


CLAIM = Claim(ClaimKind.BETTER)


@pytest.mark.parametrize(
    ("rule", "keys"),
    [
        (Rule("r", "lift", min=0.5, sample=Sample()), ["metric"]),
        (Rule("r", "auc", min=0.5, sample=Sample(where="a.b > 1")), ["where"]),
        (Rule("r", "auc", min=0.5, sample=Sample(bins=(2.0, 1.0), min_rows=0)), ["bins", "bins", "min_rows"]),
        (Rule("r", "auc", min=0.5, sample=Sample(max_gap=0.1)), ["max_gap"]),
        (Rule("r", "auc", min=0.5, claim=CLAIM, sample=Sample()), ["claim"]),
        (Rule("r", "auc", baseline="champion", claim=CLAIM), ["claim"]),
        (Rule("r", "auc", min=0.5, sample=Sample(slice_by="a", bins=(math.nan, 1.0))), ["bins"]),
        (Rule("r", "auc", min=0.5, sample=Sample(slice_by="a", bins=(0.0, math.inf))), ["bins"]),
        (Rule("r", "auc", baseline="champion", max_drop=0.1, claim=CLAIM, sample=Sample()), ["max_drop"]),
        (
            Rule(
                "r",
                "auc",
                baseline="champion",
                claim=Claim(ClaimKind.BETTER, -1, confidence=1, resamples=1, seed=-1),
                sample=Sample(),
            ),
            ["margin", "confidence", "resamples", "seed"],
        ),
        (
            Rule(
                "r",
                "auc",
                baseline="champion",
                claim=Claim(ClaimKind.NOT_WORSE, method=Method.MCNEMAR),
                sample=Sample(),
            ),
            ["method", "method"],
        ),
        (Rule("r", "demographic_parity_difference", min=0.1, sample=Sample()), ["slice_by", "max"]),
        (Rule("r", fact="leaked_row"), ["fact"]),
        (Rule("r", fact="drift"), ["max"]),
        (Rule("r", "auc", fact="drift", max=0.1, baseline="champion"), ["metric", "fact"]),
        (Rule("r", "auc", baseline="version x"), ["baseline"]),
        (Rule("r", "auc", baseline="champion", max_drop=0.1, min_gain=0.1), ["min_gain"]),
    ],
)
def test_faults_of_rules_about_rows_and_facts(rule: Rule, keys: list[str]) -> None:
    assert [fault.key for fault in rule_faults(rule)] == keys


@pytest.mark.parametrize(
    "rule",
    [
        Rule("r", "auc", baseline="dataset", min_gain=0.1, sample=Sample()),
        Rule("r", "auc", baseline="@challenger"),
        Rule("r", "mae", baseline="version 12", max_drop_percent=1.0),
        Rule(
            "r",
            "test_accuracy",
            baseline="champion",
            claim=Claim(ClaimKind.BETTER, method=Method.MCNEMAR),
            sample=Sample(),
        ),
        Rule("r", "equalized_odds_difference", max=0.1, sample=Sample(slice_by="sex")),
        Rule("r", fact="leaked_rows"),
        Rule("r", "auc", sample=Sample(slice_by="hour", bins=(6.0, 12.0), max_gap=0.1)),
    ],
)
def test_sound_rules_have_no_faults(rule: Rule) -> None:
    assert rule_faults(rule) == ()
