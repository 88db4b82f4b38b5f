from __future__ import annotations

import json
import math

import pytest

from nbmlops.core.errors import UsageError
from nbmlops.gate.baseline import NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.policy import Policy, Rule
from nbmlops.gate.reports import verdict_to_html, verdict_to_markdown
from nbmlops.gate.verdict import (
    Outcome,
    RuleResult,
    Verdict,
    Waiver,
    render_verdict,
    verdict_bytes,
    verdict_digest,
    verdict_from_json,
    verdict_to_json,
    waive,
    waived_text,
)

VERDICT = Verdict(
    False,
    (
        RuleResult("floor", "auc", 0.7431, ">= 0.7", None, Outcome.PASS),
        RuleResult(
            "not worse", "auc", 0.7431, ">= champion - 0.01: >= 0.79", 0.8, Outcome.FAIL, "0.7431 is below 0.79"
        ),
        RuleResult("new", "f1", 0.5, ">= champion", None, Outcome.NOT_APPLICABLE, "no champion"),
        RuleResult("brier", "brier", math.nan, "<= 1", None, Outcome.FAIL, "brier is NaN"),
    ),
    "flights version 3",
)


def test_the_plain_text_has_one_line_for_each_rule_and_begins_it_with_the_outcome() -> None:
    assert render_verdict(VERDICT) == (
        "gate: FAIL (1 of 4 rules passed, 1 not applicable)\n"
        "outcome  rule       metric  value   threshold                    baseline  reason\n"
        "PASS     floor      auc     0.7431  >= 0.7                       -\n"
        "FAIL     not worse  auc     0.7431  >= champion - 0.01: >= 0.79  0.8       0.7431 is below 0.79\n"
        "N/A      new        f1      0.5     >= champion                  -         no champion\n"
        "FAIL     brier      brier   NaN     <= 1                         -         brier is NaN"
    )


def test_the_text_of_a_refusal_ends_with_the_rule_to_paste() -> None:
    verdict = Verdict(False, (), refusal="there are no rules", hint="add a rule:\n\n[[gate.rules]]")
    assert render_verdict(verdict) == "gate: FAIL (there are no rules)\nadd a rule:\n\n[[gate.rules]]"


def test_a_rule_name_cannot_forge_a_line() -> None:
    verdict = Verdict(True, (RuleResult("a\nPASS \x1b[31m", "auc", 1.0, ">= 0", None, Outcome.PASS),))
    assert len(render_verdict(verdict).splitlines()) == 3
    assert "\x1b" not in render_verdict(verdict)


def test_the_canonical_body_is_plain_json_and_comes_back() -> None:
    document = json.loads(verdict_bytes(VERDICT))
    assert document == verdict_to_json(VERDICT)
    assert document["results"][3]["value"] == "NaN"
    again = verdict_from_json(document)
    assert verdict_bytes(again) == verdict_bytes(VERDICT)
    assert verdict_digest(again) == verdict_digest(VERDICT)
    assert repr(again) == repr(VERDICT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"passed": True}, "the verdict's decision contradicts its results"),
        ({"schema": "nbmlops/verdict/9"}, "the verdict has schema 'nbmlops/verdict/9'"),
        ({"results": None}, "this is not a verdict: TypeError('None is no array')"),
        ({"results": [{"rule": "r"}]}, "this is not a verdict: KeyError('metric')"),
        ({"results": [], "passed": True}, "the verdict's decision contradicts its results"),
    ],
)
def test_a_body_that_was_tampered_with_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        verdict_from_json({**verdict_to_json(VERDICT), **change})
    assert caught.value.message.startswith(message)


def test_the_html_is_a_semantic_table_with_everything_escaped() -> None:
    nasty = "<script>alert('&')</script>"
    verdict = Verdict(
        False, (RuleResult(nasty, "auc", 0.5, ">= 0.7", None, Outcome.FAIL, "0.5 is below 0.7"),), hint=nasty
    )
    safe = "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;"
    assert verdict_to_html(verdict) == (
        '<table class="nbmlops-verdict">\n'
        "<caption>gate: FAIL (0 of 1 rule passed)</caption>\n"
        '<thead><tr><th scope="col">outcome</th><th scope="col">rule</th><th scope="col">metric</th>'
        '<th scope="col">value</th><th scope="col">threshold</th><th scope="col">baseline</th>'
        '<th scope="col">reason</th></tr></thead>\n'
        "<tbody>\n"
        f'<tr class="nbmlops-fail"><td>FAIL</td><td>{safe}</td><td>auc</td><td>0.5</td><td>&gt;= 0.7</td><td>-</td>'
        "<td>0.5 is below 0.7</td></tr>\n"
        "</tbody>\n</table>\n"
        f"<pre>{safe}</pre>"
    )


def test_markdown_stays_text() -> None:
    verdict = Verdict(True, (RuleResult("a|b *x* <i>", "f1_score", 1.0, ">= 0.7", None, Outcome.PASS),))
    assert verdict_to_markdown(verdict) == (
        "**gate: PASS \\(1 of 1 rule passed\\)**\n"
        "\n"
        "| outcome | rule | metric | value | threshold | baseline | reason |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| PASS | a\\|b \\*x\\* \\<i\\> | f1\\_score | 1 | \\>= 0.7 | \\- |  |"
    )


WAIVER = Waiver("auc floor", "the desk asked for it", "Ada")


def rejected() -> Verdict:
    return evaluate({"auc": 0.6}, NoChampion(), Policy((Rule("auc floor", "auc", min=0.7),)))


def test_a_waived_rule_lets_a_model_pass_and_stays_visible() -> None:
    verdict = waive(rejected(), [WAIVER])
    assert verdict.passed
    assert verdict.summary() == "PASS (0 of 1 rule passed, 1 waived)"
    assert "WAIVED" in render_verdict(verdict)
    assert "0.6 is below 0.7; waived by Ada: the desk asked for it" in render_verdict(verdict)
    assert waived_text(verdict) == '[{"by":"Ada","reason":"the desk asked for it","rule":"auc floor"}]'
    assert verdict_from_json(verdict_to_json(verdict)) == verdict


def test_waiving_a_rule_that_passed_changes_nothing() -> None:
    verdict = evaluate({"auc": 0.8}, NoChampion(), Policy((Rule("auc floor", "auc", min=0.7),)))
    assert waive(verdict, [WAIVER]) == verdict
    assert waived_text(verdict) == ""


@pytest.mark.parametrize(
    ("waiver", "message"),
    [
        (Waiver("auc flor", "why", "Ada"), "no rule 'auc flor' was judged"),
        (Waiver("auc floor", " ", "Ada"), "needs a reason and a name"),
        (Waiver("auc floor", "why", ""), "needs a reason and a name"),
    ],
)
def test_a_waiver_names_a_rule_a_reason_and_a_person(waiver: Waiver, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        waive(rejected(), [waiver])


def test_a_document_cannot_waive_without_a_waiver() -> None:
    document = json.loads(json.dumps(verdict_to_json(waive(rejected(), [WAIVER]))))
    del document["results"][0]["waiver"]
    with pytest.raises(UsageError, match="waives a rule without saying who and why"):
        verdict_from_json(document)


def test_documents_from_before_details_and_waivers_are_read() -> None:
    old = {
        "schema": "nbmlops/verdict/1",
        "passed": True,
        "baseline": "no champion",
        "refusal": "",
        "results": [
            {
                "rule": "auc floor",
                "metric": "auc",
                "value": 0.8,
                "threshold": ">= 0.7",
                "baseline": None,
                "outcome": "pass",
                "reason": "",
            }
        ],
    }
    assert verdict_to_json(verdict_from_json(old)) == old
