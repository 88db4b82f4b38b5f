from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from nbmlops.app.cards import Card, Table
from nbmlops.app.views import StatusView
from nbmlops.ipython import panel
from nbmlops.ipython.panel import StillPanel, card_to_json, show_panel

HOSTILE = "<img src=x onerror=alert(1)>"
CARD = Card("FAIL", HOSTILE, (Table("t", ("a", "b"), ((HOSTILE, "1"),)),), ("note",))


def test_the_card_is_sent_as_plain_data():
    assert card_to_json(CARD) == {
        "state": "FAIL",
        "tone": "bad",
        "title": HOSTILE,
        "tables": [{"caption": "t", "head": ["a", "b"], "rows": [[HOSTILE, "1"]]}],
        "notes": ["note"],
    }
    json.dumps(card_to_json(CARD))


def test_without_anywidget_there_is_a_still_picture_with_a_hint(loaded: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(panel, "find_spec", lambda _name: None)
    still = loaded.run_line_magic("mlops", "panel")
    assert isinstance(still, StillPanel)
    assert repr(still).splitlines()[0] == "NO-RUN nothing is tracked in this session"
    assert repr(still).endswith("pip install 'nbmlops[panel]', then restart the kernel")
    assert "pip install &#x27;nbmlops[panel]&#x27;" in still._repr_html_()


@pytest.fixture
def widget(loaded: Any, track: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("anywidget")
    track()
    return show_panel()


def test_the_panel_follows_what_is_logged(widget: Any, loaded: Any):
    loaded.run_cell(f"%mlops param note '{HOSTILE}'\n%mlops metric auc = 0.8").raise_error()
    tables = {table["caption"]: table["rows"] for table in widget.card["tables"]}
    assert tables["parameters"] == [["note", repr(HOSTILE)]]
    assert tables["metrics"] == [["auc", "0.8"]]
    assert tables["gate, if it were judged now"] == [["PASS", "auc floor", "auc", "0.8", ">= 0.7", "-", ""]]
    assert (widget.can_gate, widget.busy) == (True, False)


def test_the_button_judges(widget: Any, loaded: Any):
    loaded.run_cell("%mlops metric auc = 0.6").raise_error()
    widget._asked(widget, {"kind": "gate"}, [])
    assert {table["caption"] for table in widget.card["tables"]} >= {"gate"}
    assert ["gate", "FAIL (0 of 1 rule passed)"] in widget.card["tables"][0]["rows"]


def test_other_messages_are_passed_over(widget: Any):
    before = widget.card
    for content in (None, "gate", {"kind": "register"}, []):
        widget._asked(widget, content, [])
    assert widget.card == before


def test_what_goes_wrong_is_said_in_the_panel(widget: Any, loaded: Any):
    loaded.run_cell("%mlops track --stop").raise_error()
    assert widget.can_gate is False
    widget._asked(widget, {"kind": "gate"}, [])
    assert widget.card["notes"][-1].startswith("no run: nothing is tracked in this session")
    assert widget.busy is False


def test_the_panel_carries_its_static_twin(widget: Any, loaded: Any):
    loaded.run_cell(f"%mlops param note '{HOSTILE}'").raise_error()
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"].startswith("RUN flights (r1)")
    assert "&lt;img src=x onerror=alert(1)&gt;" in data["text/html"]
    assert "<img" not in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_closed_panel_hears_nothing_more(widget: Any, loaded: Any):
    widget.close()
    before = widget.card
    loaded.run_cell("%mlops metric auc = 0.8").raise_error()
    assert widget.card == before


def test_the_script_puts_nothing_in_as_markup():
    script = (panel._STATIC / "panel.js").read_text()
    assert "innerHTML" not in script
    assert "insertAdjacentHTML" not in script
    assert "http" not in script


def test_a_status_without_a_run_offers_no_gate(loaded: Any):
    pytest.importorskip("anywidget")
    shown = show_panel()
    assert shown.can_gate is False
    assert shown.card == card_to_json(StatusView().card())
