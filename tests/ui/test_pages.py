"""Our pages in a real browser: the table of runs is sorted by clicks and keys, and nothing of the users' runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from nbmlops.app.comparing.diff_view import DiffView, diff_html
from nbmlops.app.comparing.runs import RunsQuery, table_of
from nbmlops.app.comparing.runs_view import runs_html
from nbmlops.app.panel.html import panel_html
from nbmlops.app.panel.view import Moment, panel_view
from nbmlops.app.versions.lineage_views import LineageView
from nbmlops.app.versions.model_card import card_html
from nbmlops.cli.card_pages import card_page, fragment_page
from nbmlops.registry.model_card import CardWords, card_of
from nbmlops.registry.read_story import read_story
from nbmlops.registry.registry import ModelVersion
from nbmlops.registry.story import Story, Trace
from nbmlops.registry.story_diff import diff_stories
from nbmlops.tracking.provenance import CodeCell, Provenance
from nbmlops.tracking.tracker import RunFacts, RunState
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker
from tests.fakes.payloads import PAYLOADS
from tests.fakes.statuses import STARTED
from tests.fakes.told import tell
from tests.ui.conftest import Opener

pytestmark = [pytest.mark.ui]


BARE = RunFacts("", "", "demo", RunState.FINISHED, ended=1000)


def runs(texts: tuple[str, ...]) -> str:
    found = tuple(
        replace(
            BARE,
            run_id=f"{at:032x}",
            name=text,
            params={"p": text, text: "x"},
            metrics={"auc": at, text: 1.0},
            started=at,
        )
        for at, text in enumerate(texts, 1)
    )
    versions = (ModelVersion(texts[0], "1", found[0].run_id, ("champion", texts[0])),)
    return fragment_page(runs_html(table_of(found, versions, {}, RunsQuery(), texts[0]), "page"), texts[0])


def hostile(story: Story, text: str) -> Story:
    assert story.run is not None
    assert story.version is not None
    run = story.run
    facts = replace(run.facts, name=text, experiment=text, params={text: text}, metrics={text: 1.0})
    made = Provenance(text, (CodeCell(text, 1, text, text),), {text: text}, card=(f"# {text}\n{text}",))
    traces = (Trace(text, 1, text, 1.0, (text,), (text,), ((text, "d"),), ((text, "d"),)),)
    data = tuple(replace(record, name=text, version={text: text}) for record in run.data)
    bad = replace(
        run, facts=facts, source=text, commit=text, data=data, traces=traces, provenance=made, reproducible=text
    )
    version = replace(story.version, version=ModelVersion(text, "1", aliases=(text,)), stage=text)
    return Story(bad, version, notes=(text,))


def test_the_table_of_runs_is_sorted_by_clicks_and_keys(open_page: Opener, tmp_path: Path, look: Any):
    (tmp_path / "runs.html").write_text(runs(("a", "b", "c")), encoding="utf-8")
    page = open_page((tmp_path / "runs.html").as_uri())

    def order() -> str:
        rows = sorted(page.locator("tbody tr").all(), key=lambda row: row.bounding_box()["y"])
        return "".join(row.locator("th").inner_text()[-1] for row in rows)

    assert order() == "cba"
    head = page.locator("thead")
    head.get_by_text("name", exact=True).click()
    assert order() == "abc"
    page.get_by_text("reversed").click()
    assert order() == "cba"
    head.get_by_text("auc", exact=True).click()
    assert order() == "abc"
    page.get_by_text("reversed").click()
    assert order() == "cba"
    head.get_by_text("name", exact=True).click()
    page.keyboard.press("ArrowRight")
    assert order() == "cba"
    look(page.locator("section"), "runs")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read_by_everybody(
    open_page: Opener, tmp_path: Path, look: Any, accessible: Callable[..., None], scheme: str
):
    tracker, registry = InMemoryTracker(), InMemoryRegistry()
    tell(tracker, registry)
    first, second = (read_story(registry, tracker, one) for one in registry.versions("flights")[:2])
    pages = {
        "runs": runs(("a", "b", "c")),
        "lineage": card_page(LineageView(first).card(), "flights"),
        "diff": fragment_page(diff_html(DiffView(diff_stories(first, second))), "flights"),
        "card": fragment_page(card_html(card_of(first, CardWords("", "", "", ()))), "flights"),
    }
    metrics, loss = {"auc": 0.8, "loss": 0.4}, (0.9, 0.6, 0.4)
    moment = Moment(replace(STARTED, metrics=metrics, reproducible="no, because cell 3 did not run"), {"loss": loss})
    pages["panel"] = fragment_page(panel_html(panel_view(moment)), "panel")
    page = open_page("about:blank", color_scheme=scheme)
    for name, text in pages.items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
        page.goto((tmp_path / f"{name}.html").as_uri())
        accessible(page)
        look(page, f"{name}-{scheme}")


@pytest.mark.parametrize("kind", ["runs", "lineage", "diff", "card"])
def test_nothing_of_the_users_is_taken_for_more_than_text(open_page: Opener, tmp_path: Path, kind: str):
    tracker, registry = InMemoryTracker(), InMemoryRegistry()
    tell(tracker, registry)
    story = read_story(registry, tracker, registry.versions("flights")[0])
    texts = tuple(payload for payload in PAYLOADS if payload)
    pages = [runs(texts)] if kind == "runs" else []
    for text in texts if kind != "runs" else ():
        bad = hostile(story, text)
        if kind == "lineage":
            pages.append(card_page(LineageView(bad).card(), text))
        elif kind == "diff":
            pages.append(fragment_page(diff_html(DiffView(diff_stories(story, bad))), text))
        else:
            pages.append(fragment_page(card_html(card_of(bad, CardWords(text, text, text, (text,)))), text))
    # Without the page's policy, which would stop whatever slipped through.
    for place, text in enumerate(pages):
        path = tmp_path / f"{place}.html"
        path.write_bytes(text.replace("Content-Security-Policy", "nothing").encode("utf-8", "backslashreplace"))
    page = open_page((tmp_path / "0.html").as_uri())
    for place in range(len(pages)):
        page.goto((tmp_path / f"{place}.html").as_uri())
        assert page.evaluate("window.hacked") is None
        assert page.locator("script, img, iframe, object, embed, a, body *[onload]").count() == 0
