from __future__ import annotations

import json

import pytest

from nbmlops.app.panel.model import Action, Cell, Notice, PanelView, Progress, Section, Tone, to_json, visible
from nbmlops.app.show.sparks import Spark


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünï 日本 🎉", "plain ünï 日本 🎉"),
        ("a\nb\tc\x00", "a\\nb\\tc\\x00"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("<script>`${x}`</script>", "<script>`${x}`</script>"),
    ],
)
def test_what_would_not_be_seen_is_written_out(text: str, shown: str):
    assert visible(text) == shown


def test_what_is_long_is_cut_and_says_so():
    assert visible("x" * 1_000_000, 5) == "xxxxx… (1,000,000 characters)"


def test_the_view_is_plain_data():
    spark = Cell("", full="words", spark=Spark("words", (0.0, 1.0), 0.5))
    section = Section("m", "Metrics", Cell("1"), ("a", "b"), ((Cell("x", Tone.GOOD), spark),), ("note",), (0,))
    progress = Progress("gate", 3, Notice(Tone.BAD, "no", ("because",)))
    action = Action("gate", "Run the gate", "no metric", is_next=True)
    notice = Notice(Tone.WARN, "mind", ())
    fact = ("run", Cell("r1", Tone.QUIET, "r1234"))
    view = PanelView("RUNNING", Tone.LIVE, "t", "d", (fact,), (notice,), (section,), (action,), progress)
    drawn = {"caption": "words", "size": [96, 22], "points": [[3.0, 19.0], [93.0, 3.0]], "reference": 11.0}
    assert json.loads(json.dumps(to_json(view))) == {
        "state": "RUNNING",
        "tone": "live",
        "title": "t",
        "detail": "d",
        "facts": [{"name": "run", "value": {"text": "r1", "tone": "quiet", "full": "r1234"}}],
        "notices": [{"tone": "warn", "title": "mind", "lines": []}],
        "sections": [
            {
                "key": "m",
                "title": "Metrics",
                "badge": {"text": "1", "tone": "plain", "full": ""},
                "columns": ["a", "b"],
                "rows": [
                    [
                        {"text": "x", "tone": "good", "full": ""},
                        {"text": "", "tone": "plain", "full": "words", "spark": drawn},
                    ]
                ],
                "notes": ["note"],
                "codes": [0],
            }
        ],
        "actions": [{"key": "gate", "label": "Run the gate", "refusal": "no metric", "next": True}],
        "busy": "gate",
        "turn": 3,
        "outcome": {"tone": "bad", "title": "no", "lines": ["because"]},
    }
