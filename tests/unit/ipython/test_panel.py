from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nbmlops.app.panel.model import Notice, Progress, Tone
from nbmlops.ipython import panel
from nbmlops.ipython.panel import LivePanel, StillPanel, live_panel
from tests.fakes.session_store import MemoryStore

HOSTILE = "<img src=x onerror=alert(1)>"
PUBLISHED = tuple[dict[str, str], dict[str, str], bool]


class Display:
    """Where a shell shows things; it remembers them."""

    is_publishing = False

    def __init__(self) -> None:
        self.published: list[PUBLISHED] = []

    def publish(self, *, data: dict[str, str], metadata: object, transient: dict[str, str], update: bool) -> None:
        self.published.append((data, transient, update))


@pytest.fixture
def display(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> Display:
    display = Display()
    monkeypatch.setattr(loaded, "display_pub", display)
    return display


@pytest.fixture
def live(loaded: Any, track: Callable[[], MemoryStore], monkeypatch: pytest.MonkeyPatch) -> Iterator[LivePanel]:
    """A panel of an open run, which a test brings up to date itself."""
    pytest.importorskip("anywidget")
    monkeypatch.setattr(panel.PanelFeed, "start", lambda _feed: None)
    track()
    found = live_panel(loaded)
    found.feed._ask_store(found.feed._session)
    yield found
    found.close()


def tables(live: LivePanel) -> dict[str, list[list[str]]]:
    live.feed.refresh()
    return {
        part["key"]: [[cell["text"] for cell in row] for row in part["rows"]] for part in live.widget.view["sections"]
    }


def press(live: LivePanel, action: str, turn: int | None = None) -> None:
    live._asked(
        live.widget, {"kind": "act", "action": action, "turn": live.feed.progress.turn if turn is None else turn}, []
    )


def test_without_anywidget_there_is_a_still_picture_with_a_hint(loaded: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(panel, "find_spec", lambda _name: None)
    still = loaded.run_line_magic("mlops", "panel")
    assert isinstance(still, StillPanel)
    assert repr(still).splitlines()[0] == "NO RUN"
    assert repr(still).endswith("pip install 'nbmlops[panel]', then restart the kernel")
    assert "pip install &#x27;nbmlops[panel]&#x27;" in still._repr_html_()


def test_a_terminal_gets_all_of_it_as_text(loaded: Any, track: Callable[[], MemoryStore]):
    track()
    loaded.run_cell("%mlops metric auc = 0.8").raise_error()
    still = loaded.run_line_magic("mlops", "panel")
    assert isinstance(still, StillPanel)
    assert repr(still).splitlines()[9:16] == [
        "Gate, if it judged now (would PASS (1 of 1 rule passed)):",
        "  rule       outcome  metric  value  threshold",
        "  auc floor  PASS     auc     0.8    >= 0.7",
        "Metrics (1):",
        "  metric  value",
        "  auc     0.8",
        "Hidden state could not be looked for: flights.ipynb cannot be read: No such file or directory",
    ]


def test_the_panel_follows_what_is_logged(live: LivePanel, loaded: Any):
    loaded.run_cell(f"%mlops param note '{HOSTILE}'\n%mlops metric auc = 0.8").raise_error()
    assert tables(live) == {
        "gate": [["auc floor", "PASS", "auc", "0.8", ">= 0.7"]],
        "metrics": [["auc", "0.8"]],
        "parameters": [["note", repr(HOSTILE)]],
    }
    json.dumps(live.widget.view, allow_nan=False)


def test_a_kernel_has_one_panel_wherever_it_is_shown(live: LivePanel, loaded: Any, display: Display):
    assert live_panel(loaded) is live
    live._ipython_display_()
    live._ipython_display_()
    live.feed._keep(live.feed.view)
    (first, one, _), (_, two, _), *kept = display.published
    assert set(first) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert one != two
    assert [(where, update) for _, where, update in kept] == [(one, True), (two, True)]


def test_the_picture_that_stays_holds_no_markup_of_the_users(live: LivePanel, loaded: Any, display: Display):
    loaded.run_cell(f"%mlops param note '{HOSTILE}'").raise_error()
    live.feed.refresh()
    live._ipython_display_()
    data = display.published[-1][0]
    assert "&lt;img src=x onerror=alert(1)&gt;" in data["text/html"]
    assert "<img" not in data["text/html"]
    assert data["text/plain"].startswith("RUNNING flights · no cell recorded")


def test_the_gate_button_judges_and_register_does_what_the_notebook_says(live: LivePanel, loaded: Any, tmp_path: Path):
    loaded.run_cell("%mlops metric auc = 0.8\nmodel, X = object(), object()").raise_error()
    press(live, "gate")
    assert live.feed.progress.turn == 1
    assert live.feed.progress.outcome is not None
    assert live.feed.progress.outcome.title == "PASS gate (1 of 1 rule passed)"
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
    document = {"cells": [{**cell, "source": "%mlops register model --data X"}]}
    document |= {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "flights.ipynb").write_text(json.dumps(document))
    press(live, "register")
    assert live.feed.progress.outcome.title == "REGISTERED flights version 1 as champion"
    tables(live)
    assert [fact["value"]["text"] for fact in live.widget.view["facts"]][-1] == "flights version 1 (champion)"


def test_a_click_that_was_meant_for_what_was_there_before_does_nothing(live: LivePanel, loaded: Any):
    loaded.run_cell("%mlops metric auc = 0.8").raise_error()
    press(live, "gate")
    done = live.feed.progress
    press(live, "gate", turn=0)
    assert live.feed.progress == done
    live.feed.progress = Progress("compile", 1)
    press(live, "gate", turn=1)
    assert live.feed.progress == Progress("compile", 1)


def test_other_messages_are_passed_over(live: LivePanel):
    for content in (None, "gate", {"kind": "gate"}, {"kind": "act", "action": "rm", "turn": 0}, []):
        live._asked(live.widget, content, [])
    assert live.feed.progress == Progress()


def test_what_goes_wrong_is_said_in_the_panel(live: LivePanel, loaded: Any, tmp_path: Path):
    loaded.run_cell("%mlops metric auc = 0.6").raise_error()
    press(live, "register")
    assert live.feed.progress.outcome == Notice(
        Tone.BAD, f"{tmp_path}/flights.ipynb does not exist", ("hint: name a .ipynb file",)
    )
    press(live, "gate")
    assert live.feed.progress.outcome.title == "FAIL gate (0 of 1 rule passed)"
    assert live.feed.progress.busy == ""


def test_a_closed_panel_hears_nothing_more_and_a_new_one_takes_its_place(live: LivePanel, loaded: Any):
    live.close()
    before = live.widget.view
    loaded.run_cell("%mlops metric auc = 0.8").raise_error()
    live.feed.refresh()
    assert live.widget.view == before
    assert live_panel(loaded) is not live


def test_the_script_puts_nothing_in_as_markup_and_asks_nobody():
    script = (panel._STATIC / "panel.js").read_text()
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "fetch(",
        "import(",
        "href",
    ):
        assert word not in script
    assert script.count("http") == 1  # the name of SVG
