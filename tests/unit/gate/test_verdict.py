from __future__ import annotations

import json
import math

import pytest

from nbmlops.core.errors import UsageError
from nbmlops.gate.reports import verdict_to_html, verdict_to_markdown
from nbmlops.gate.verdict import (
    Outcome,
    RuleResult,
    Verdict,
    render_verdict,
    verdict_bytes,
    verdict_digest,
    verdict_from_json,
    verdict_to_json,
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
        "outcome  rule       metric  value   threshold                    champion  reason\n"
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
        '<th scope="col">value</th><th scope="col">threshold</th><th scope="col">champion</th>'
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
        "| outcome | rule | metric | value | threshold | champion | reason |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| PASS | a\\|b \\*x\\* \\<i\\> | f1\\_score | 1 | \\>= 0.7 | \\- |  |"
    )
