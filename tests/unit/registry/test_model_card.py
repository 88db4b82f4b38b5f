from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from nbmlops.app.versions.model_card import CardView, card_html
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict, Waiver
from nbmlops.registry.model_card import CardWords, card_markdown, card_of, card_to_json
from nbmlops.registry.read_story import read_story
from nbmlops.registry.story import GateStory, Story
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker
from tests.fakes.told import tell

HOSTILE = "<script>alert('x')</script>\"& | `a` [b](c)"


@pytest.fixture
def story() -> Story:
    tracker, registry = InMemoryTracker(), InMemoryRegistry()
    tell(tracker, registry)
    return read_story(registry, tracker, registry.versions("flights")[0])


def judged(story: Story) -> Story:
    """The story with what the gate computes on held-out rows."""
    detail = {
        "rows": 900,
        "test": {"method": "bootstrap", "claim": "better", "margin": 0.0, "confidence": 0.95},
        "estimates": [
            {"slice": "", "rows": 900, "value": 0.82, "baseline": 0.8, "gain": 0.02, "low": 0.01, "high": 0.03}
        ],
    }
    slices = {"rows": 900, "estimates": [{"slice": "carrier = AA", "rows": 40, "value": 0.7, "baseline": 0.69}]}
    waiver = Waiver("size", "no smaller one exists", "ann")
    results = (
        RuleResult("better", "auc", 0.82, "better", 0.8, Outcome.PASS, detail=detail),
        RuleResult("each carrier", "auc: carrier = AA", 0.7, ">= 0.6", None, Outcome.PASS, detail=slices),
        RuleResult("size", "model_bytes", 9.0, "<= 5", None, Outcome.WAIVED, "9 is above 5", waiver=waiver),
    )
    verdict = Verdict(True, results, "flights version 1")
    assert story.run is not None
    return replace(story, run=replace(story.run, gate=GateStory(True, verdict.summary(), "d", verdict)))


def test_what_nobody_told_is_missing(story: Story):
    card = card_of(story, CardWords())
    assert card.missing == ("Intended use", "Limits", "Slices and fairness")
    text = card_markdown(card)
    assert '*Missing: nobody wrote it: `intended_use = "…"` under `[card]` in nbmlops.toml' in text
    bare = card_of(replace(story, run=None, notes=("its run cannot be read: gone",)), CardWords())
    assert bare.missing == (
        "Intended use",
        "Limits",
        "Training data",
        "Schema",
        "Parameters",
        "Slices and fairness",
        "Gate",
        "Where it comes from",
    )
    assert bare.sections[-1].texts == ("its run cannot be read: gone",)


def test_the_whole_card(story: Story, golden: Callable[[str, str], None]):
    cells = ("# Limits\n\nNot for *freight*.", "## Ethics\nNobody is ranked.", "A line without a heading.")
    card = card_of(judged(story), CardWords("Calls passengers.", "New York only.", "the desk", cells))
    golden("card/flights.md", card_markdown(card))
    assert card.missing == ()


def test_the_intervals_are_those_of_the_gate(story: Story):
    card = card_of(judged(story), CardWords())
    (metrics,) = (section for section in card.sections if section.title == "Metrics")
    assert metrics.tables[0].rows == (("auc", "0.82", "gain 0.02 in [0.01, 0.03] at 0.95, 900 rows"),)
    (slices,) = (section for section in card.sections if section.title == "Slices and fairness")
    assert [(table.caption, table.rows) for table in slices.tables] == [
        ("each carrier: pass", (("carrier = AA", "40", "0.7", "0.69"),))
    ]


def test_facts_cannot_break_out_of_their_place(story: Story):
    run = story.run
    assert run is not None
    facts = replace(run.facts, params={HOSTILE: HOSTILE}, metrics={HOSTILE: 1.0})
    data = tuple(replace(record, name=HOSTILE) for record in run.data)
    hostile = replace(story, run=replace(run, facts=facts, data=data, commit=HOSTILE))
    card = card_of(hostile, CardWords(HOSTILE, cells=(f"# {HOSTILE}\ntext",)))
    html = card_html(card)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    facts_only = card_markdown(card_of(hostile, CardWords()))
    assert "<script" not in facts_only.replace("\\<script", "")
    rows = [line for line in facts_only.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in rows if "alert" in line and "frame" in line} == {7}


def test_it_shows_itself(story: Story):
    view = CardView(card_of(story, CardWords("x")), "nbmlops/cards/2.json")
    assert repr(view).startswith("# flights version 2\n\n## Model\n")
    assert view.card().notes[-1] == "stored with the version as nbmlops/cards/2.json"
    assert "<h2" in view._repr_html_()
    document = card_to_json(view.model_card)
    assert (document["title"], document["missing"]) == ("flights version 2", ["Limits", "Slices and fairness"])
