"""Rules about recorded rows: what passes, what fails, and that everything unclear fails."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from nbmlops.core.estimates import Estimate
from nbmlops.gate.baseline import Champion, NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.evidence import Evidence, Found, NotHad, NothingToCompare, Sampled
from nbmlops.gate.policy import Claim, ClaimKind, Method, Policy, Rule, Sample
from nbmlops.gate.verdict import Outcome, RuleResult, verdict_from_json, verdict_to_json

FLOOR = Rule("floor", "auc", min=0.7, sample=Sample(slice_by="port"))
NOT_WORSE = Rule("live", "auc", baseline="champion", claim=Claim(ClaimKind.NOT_WORSE, 0.01), sample=Sample())
BETTER = Rule("live", "auc", baseline="champion", claim=Claim(ClaimKind.BETTER), sample=Sample())
MCNEMAR = Rule(
    "live", "accuracy", baseline="champion", claim=Claim(ClaimKind.BETTER, method=Method.MCNEMAR), sample=Sample()
)
SHOWN = Estimate("", 1000, 0.80, 0.79, 0.01, 0.001, 0.019)


def judged(rule: Rule, *estimates: Estimate) -> RuleResult:
    verdict = evaluate({}, NoChampion(), Policy((rule,)), Evidence({rule.name: Sampled(estimates)}))
    document = verdict_to_json(verdict)
    assert verdict_to_json(verdict_from_json(document)) == document
    return verdict.results[0]


def test_the_slice_that_keeps_the_rule_least_is_shown() -> None:
    found = judged(FLOOR, Estimate("port = A", 50, 0.8), Estimate("port = B", 40, 0.71))
    assert found == RuleResult(
        "floor", "auc: port = B (worst of 2)", 0.71, ">= 0.7", None, Outcome.PASS, "", found.detail
    )
    assert found.detail == {
        "rows": 90,
        "bounds": {"min": 0.7},
        "estimates": [
            {"slice": "port = A", "rows": 50, "value": 0.8},
            {"slice": "port = B", "rows": 40, "value": 0.71},
        ],
    }


def test_one_bad_slice_fails_and_is_named() -> None:
    rule = replace(FLOOR, reason="all ports pay")
    found = judged(rule, Estimate("port = A", 50, 0.8), Estimate("port = B", 40, 0.69))
    assert (found.outcome, found.reason) == (Outcome.FAIL, "port = B: 0.69 is below 0.7 (all ports pay)")


@pytest.mark.parametrize(
    ("estimates", "reason"),
    [
        ([Estimate("port = B", 12)], "port = B: 12 rows are too few: 30 are needed"),
        ([], "there are no rows"),
        ([Estimate("port = B", 40, problem="it is not defined on these rows")], "port = B: it is not defined"),
        ([Estimate("port = B", 40, math.nan)], "port = B: no finite value"),
        ([Estimate("port = B", 40)], "port = B: no finite value"),
    ],
)
def test_what_is_not_known_fails(estimates: list[Estimate], reason: str) -> None:
    found = judged(FLOOR, *estimates)
    assert found.outcome is Outcome.FAIL
    assert found.reason.startswith(reason)


def test_small_slices_can_be_left_out_and_are_told() -> None:
    rule = replace(FLOOR, sample=Sample(slice_by="port", small_slices="leave out"))
    small = Estimate("port = C", 3)
    found = judged(rule, Estimate("port = A", 50, 0.8), small)
    assert found.outcome is Outcome.PASS
    assert found.detail["small"] == [["port = C", 3]]
    assert judged(rule, small).reason == "every slice has fewer than 30 rows"


def test_the_gap_between_slices_has_a_bound() -> None:
    rule = Rule("gap", "auc", sample=Sample(slice_by="port", max_gap=0.05))
    low, high = Estimate("port = A", 50, 0.7), Estimate("port = B", 50, 0.75)
    assert judged(rule, low, high).outcome is Outcome.PASS
    found = judged(rule, low, replace(high, value=0.7501))
    assert found.reason == "port = A has 0.7, port = B 0.7501: more than 0.05 apart"


@pytest.mark.parametrize(
    ("rule", "low", "outcome"),
    [
        (NOT_WORSE, -0.01, Outcome.PASS),
        (NOT_WORSE, -0.010001, Outcome.FAIL),
        (BETTER, 0.0001, Outcome.PASS),
        (BETTER, 0.0, Outcome.FAIL),
        (BETTER, None, Outcome.FAIL),
        (BETTER, math.nan, Outcome.FAIL),
    ],
)
def test_a_claim_holds_where_the_interval_says_so(rule: Rule, low: float | None, outcome: Outcome) -> None:
    assert judged(rule, replace(SHOWN, low=low)).outcome is outcome


def test_a_claim_tells_what_was_asked_and_found() -> None:
    found = judged(NOT_WORSE, replace(SHOWN, gain=-0.02, low=-0.03))
    assert found.threshold == "not worse than champion by 0.01, 95 % sure: gain -0.02 in [-0.03, +0.019]"
    assert found.reason == "the gain is -0.02, but 95 % sure is -0.03"
    assert found.detail["test"] == {
        "method": "bootstrap",
        "claim": "not worse",
        "margin": 0.01,
        "confidence": 0.95,
        "resamples": 1000,
        "seed": 0,
    }


def test_mcnemars_test_decides_by_its_probability() -> None:
    estimate = Estimate("", 1000, 0.8, 0.79, 0.01, p_value=0.05, discordant=(40, 26))
    assert judged(MCNEMAR, estimate).outcome is Outcome.PASS
    found = judged(MCNEMAR, replace(estimate, p_value=0.06))
    assert found.reason == "40 rows won and 26 lost: p = 0.06 by McNemar's test"
    assert judged(MCNEMAR, replace(estimate, p_value=None)).reason == "McNemar's test was not made"


def test_each_slice_is_compared_with_the_baselines_value_there() -> None:
    rule = Rule("live", "auc", baseline="champion", max_drop=0.01, sample=Sample(slice_by="port"))
    found = judged(rule, Estimate("port = A", 50, 0.70, 0.75, -0.05), Estimate("port = B", 50, 0.8, 0.8, 0.0))
    assert found.reason == "port = A: 0.7 is below 0.74"
    assert found.threshold == ">= champion - 0.01: >= 0.74"


@pytest.mark.parametrize(
    ("found", "outcome", "reason"),
    [
        (NotHad("no predictions were logged"), Outcome.FAIL, "no predictions were logged (why)"),
        (NothingToCompare(), Outcome.NOT_APPLICABLE, "no champion"),
        (None, Outcome.FAIL, "nobody looked at recorded rows (why)"),
    ],
)
def test_evidence_that_is_not_there(found, outcome: Outcome, reason: str) -> None:
    rule = replace(NOT_WORSE, reason="why")
    evidence = Evidence({rule.name: found} if found is not None else {})
    (result,) = evaluate({}, NoChampion(), Policy((rule,)), evidence).results
    assert (result.outcome, result.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("value", "outcome", "reason"),
    [
        (0.0, Outcome.PASS, ""),
        (3.0, Outcome.FAIL, "3 is above 0"),
        (math.nan, Outcome.FAIL, "leaked_rows is no finite number"),
        (NotHad("nothing is known"), Outcome.FAIL, "nothing is known"),
        (NothingToCompare(), Outcome.NOT_APPLICABLE, "no champion"),
        (None, Outcome.FAIL, "nobody looked"),
    ],
)
def test_a_fact_without_bounds_must_be_0(value, outcome: Outcome, reason: str) -> None:
    rule = Rule("leak", fact="leaked_rows")
    evidence = Evidence(facts={("leaked_rows", ""): value} if value is not None else {})
    (result,) = evaluate({}, NoChampion(), Policy((rule,)), evidence).results
    assert (result.metric, result.threshold, result.outcome, result.reason) == ("leaked_rows", "<= 0", outcome, reason)


def test_a_fact_with_names_says_them_where_the_rule_fails_and_keeps_the_detail() -> None:
    detail = {"tests": [{"name": "test_a"}]}
    rule = Rule("all", fact="failed_tests", reason="the desk expects it")
    for value, expected in ((1.0, "1 is above 0: test_a (fail) (the desk expects it)"), (0.0, ""), (math.nan, None)):
        found = {("failed_tests", ""): Found(value, "test_a (fail)", detail)}
        (result,) = evaluate({}, NoChampion(), Policy((rule,)), Evidence(facts=found)).results
        if expected is None:
            assert (result.outcome, result.reason) == (
                Outcome.FAIL,
                f"failed_tests is no finite number ({rule.reason})",
            )
        else:
            assert (result.reason, result.detail) == (expected, detail)
            assert result.outcome is (Outcome.FAIL if expected else Outcome.PASS)


@pytest.mark.parametrize(
    ("baseline", "against", "shown"),
    [
        ("champion", "", "0.79"),
        ("version 3", "version 3", "0.79 (version 3)"),
        ("dataset", "dataset", "0.79 (dataset)"),
    ],
)
def test_what_a_value_is_compared_with_is_told_where_it_is_not_the_champion(
    baseline: str, against: str, shown: str
) -> None:
    found = judged(Rule("live", "auc", baseline=baseline, max_drop=0.1, sample=Sample()), SHOWN)
    assert (found.baseline, found.against, found.beside, found.cells()[5]) == (0.79, against, shown, shown)
    logged = Rule("live", "auc", baseline=baseline, max_drop=0.1)
    other = Champion("delays", "3", {"auc": 0.79})
    evidence = Evidence(baselines={} if baseline == "champion" else {baseline: other})
    (result,) = evaluate({"auc": 0.8}, other, Policy((logged,)), evidence).results
    assert result.beside == shown
