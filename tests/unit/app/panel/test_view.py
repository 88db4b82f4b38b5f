"""The panel at moments of a run's life; what the three renderers make of it."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from nbmlops.app.panel.html import panel_html
from nbmlops.app.panel.model import Action, Cell, Notice, PanelView, Progress, Section, Tone, to_json
from nbmlops.app.panel.text import panel_text
from nbmlops.app.panel.view import Moment, panel_view
from nbmlops.app.session.surroundings import Surroundings
from nbmlops.app.show.views import SessionStatus, StatusView
from nbmlops.core.records import CheckRecord, DataRecord
from nbmlops.gate.baseline import Champion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.policy import Policy, Rule
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import ModelVersionRef
from nbmlops.tracking.cells import ValueMade, ValueSeen
from nbmlops.tracking.tracker import RunFacts, RunState
from tests.fakes.payloads import PAYLOADS
from tests.fakes.statuses import STARTED

POLICY = Policy((Rule("floor", "auc", min=0.7), Rule("no drop", "auc", baseline="champion", max_drop=0.01)))
CHAMPION = Champion("flights", "2", {"auc": 0.8, "loss": 0.3})
RECENT = tuple(RunFacts(str(n), "r", "demo", RunState.FINISHED, metrics={"auc": 0.7 + n / 100}) for n in range(3))
STATUS = replace(
    STARTED,
    reproducible="no, because cell 3 was edited after it ran; `x` came from a cell that was deleted or edited since",
    parameters={"depth": 5},
    metrics={"auc": 0.83, "loss": 0.4, "n": 3.0},
    data=(DataRecord("flights", "ab" * 16, "frame", 4000),),
    checks=(CheckRecord("flights", "f", False, ("hour: 2 rows are below 0",)), CheckRecord("other", "o", True)),
)
AROUND = Surroundings(CHAMPION, RECENT)
MOMENT = Moment(
    replace(STATUS, preview=evaluate(STATUS.metrics, CHAMPION, POLICY)),
    {"auc": (0.83,), "loss": (0.9, 0.6, 0.4)},
    AROUND,
    cells=12,
)


def section(view: PanelView, key: str) -> Section:
    return next(found for found in view.sections if found.key == key)


def words(section: Section) -> list[list[str]]:
    return [[cell.text for cell in row] for row in section.rows]


def actions(view: PanelView) -> dict[str, tuple[str, bool]]:
    return {action.key: (action.refusal, action.is_next) for action in view.actions}


def test_without_a_run_the_panel_says_how_to_start():
    view = panel_view(Moment())
    assert (view.state, view.sections, view.facts) == ("NO RUN", (), ())
    assert view.notices == (
        Notice(
            Tone.PLAIN,
            "Nothing is tracked in this session",
            ("to start: put `%mlops track` in the first cell and run it (in Python: nbmlops.track())",),
        ),
    )
    assert actions(view)["gate"] == ("no run is tracked now", False)


def test_a_run_in_the_middle():
    view = panel_view(replace(MOMENT, running=True))
    assert (view.state, view.tone, view.title) == ("RUNNING", Tone.LIVE, "flights")
    assert view.detail == "a cell is running · 12 cells recorded"
    assert dict(view.facts) == {
        "experiment": Cell("demo"),
        "run": Cell("01234567", full="0123456789abcdef"),
        "notebook": Cell("flights.ipynb"),
        "commit": Cell("cccccccc with changes", full=f"{'c' * 40}-dirty"),
        "store": Cell("sqlite:///mlflow.db"),
        "reproducible": Cell("no", Tone.WARN, STATUS.reproducible),
    }
    hidden = "Hidden state: a new run from top to bottom would end differently"
    reasons = ("cell 3 was edited after it ran", "`x` came from a cell that was deleted or edited since")
    assert view.notices == (
        Notice(Tone.WARN, hidden, reasons),
        Notice(Tone.BAD, "flights breaks schema f", ("hour: 2 rows are below 0",)),
    )


def test_metrics_stand_beside_the_champion_and_recent_runs():
    found = section(panel_view(MOMENT), "metrics")
    assert found.columns == ("metric", "value", "champion", "change", "this run", "recent runs")
    assert words(found) == [
        ["auc", "0.83", "0.8", "+0.03 better", "", ""],
        ["loss", "0.4", "0.3", "+0.1 worse", "", ""],
        ["n", "3", "", "", "", ""],
    ]
    auc, loss, n = found.rows
    assert auc[4].spark is None
    assert auc[5].spark is not None
    assert (auc[5].spark.values, auc[5].spark.reference) == ((0.7, 0.71, 0.72, 0.83), 0.8)
    assert auc[5].full == "auc: this run after 3 others, from 0.7 to 0.83, last 0.83, champion 0.8"
    assert loss[4].spark is not None
    assert loss[4].spark.values == (0.9, 0.6, 0.4)
    assert (loss[5].spark, n[5].spark) == (None, None)
    assert found.notes == ("dashed line: the champion, flights version 2",)


@pytest.mark.parametrize(("value", "told"), [(0.8, "equal"), (math.nan, ""), (math.inf, "")])
def test_what_cannot_be_compared_is_not(value: float, told: str):
    moment = Moment(replace(STATUS, metrics={"auc": value}), {}, AROUND)
    row = section(panel_view(moment), "metrics").rows[0]
    assert row[3].text == told if len(row) > 3 else told == ""
    assert row[1].tone is (Tone.PLAIN if math.isfinite(value) else Tone.BAD)


def test_inputs_show_fingerprint_evidence_and_schema_and_checks_of_others_are_not_lost():
    found = section(panel_view(MOMENT), "inputs")
    assert words(found) == [
        ["flights", "frame", "4,000", "abababababab", "declared", "breaks f"],
        ["other", "checked", "", "", "", "keeps o"],
    ]
    assert found.rows[0][3].full == "ab" * 16


def test_how_inputs_are_known_is_said_in_words_for_people():
    ways = ("declared", "audit", "inotify", "step", "literal", "new")
    data = tuple(DataRecord(way, "ab" * 16, "file", profile={"evidence": way}) for way in ways)
    cells = [row[3] for row in section(panel_view(Moment(replace(STATUS, data=data, checks=()))), "inputs").rows]
    assert [cell.text for cell in cells] == ["declared", "opened", "opened", "opened", "named", "new"]
    assert [cell.tone for cell in cells] == [Tone.PLAIN, *[Tone.QUIET] * 5]


def test_what_cells_made_is_shown_the_latest_first():
    made = {f"f{number}": made_frame(number) for number in range(20)}
    made["busy"] = ValueMade(0, ValueSeen("array", "numpy.ndarray", (7,), why="it changed while it was read"))
    found = section(panel_view(replace(MOMENT, made=made)), "made")
    assert found.columns == ("name", "type", "size", "fingerprint", "cell")
    assert words(found)[:2] == [
        ["busy", "ndarray", "7", "none", ""],
        ["f19", "DataFrame", "1,019 × 3", "abababababab", "[19]"],
    ]
    assert (found.rows[0][3].full, found.rows[1][1].full) == ("it changed while it was read", "pandas.DataFrame")
    assert (len(found.rows), found.badge.text, found.notes) == (12, "21", ("and 9 that earlier cells made",))


def made_frame(number: int) -> ValueMade:
    return ValueMade(number, ValueSeen("frame", "pandas.DataFrame", (1000 + number, 3), "ab" * 16))


def test_a_run_that_has_ended_does_not_say_that_a_cell_is_running():
    ended = replace(MOMENT, status=replace(STATUS, status=SessionStatus.FINISHED), running=True)
    assert panel_view(ended).detail == "12 cells recorded"


def test_the_gate_is_a_preview_until_it_has_judged():
    preview = section(panel_view(MOMENT), "gate")
    assert (preview.title, preview.badge.text) == ("Gate, if it judged now", "would PASS (2 of 2 rules passed)")
    assert words(preview) == [
        ["floor", "PASS", "auc", "0.83", ">= 0.7", ""],
        ["no drop", "PASS", "auc", "0.83", ">= champion - 0.01: >= 0.79", "0.8"],
    ]
    assert preview.notes == (
        "a preview of what the gate would say now: nothing is stored yet",
        "compared with: flights version 2",
    )
    judged = panel_view(Moment(replace(STATUS, verdict=evaluate({"auc": 0.5}, CHAMPION, POLICY)), {}, AROUND))
    assert section(judged, "gate").badge == Cell("FAIL (0 of 2 rules passed)", Tone.BAD)
    unknown = section(panel_view(Moment(replace(STATUS, metrics={}))), "gate")
    assert (unknown.badge.text, unknown.notes) == ("not judged", ("log a metric to see what the gate would say",))


def test_the_next_thing_to_do_stands_out_and_what_cannot_be_done_says_why():
    assert actions(panel_view(MOMENT)) == {
        "gate": ("", True),
        "register": ("the gate has not judged the metrics as they are now", False),
        "compile": ("", False),
    }
    passed = replace(STATUS, verdict=Verdict(True, ()))
    assert actions(panel_view(Moment(passed)))["register"] == ("", True)
    failed = replace(STATUS, verdict=Verdict(False, ()))
    assert actions(panel_view(Moment(failed)))["register"] == ("the gate said no", False)
    done = replace(passed, model_version=ModelVersionRef("flights", "3", ("champion",)))
    assert actions(panel_view(Moment(done))) == {"gate": ("", False), "register": ("", False), "compile": ("", True)}
    paused = panel_view(Moment(replace(passed, status=SessionStatus.PAUSED)))
    assert (paused.state, paused.tone, actions(paused)["register"]) == ("PAUSED", Tone.QUIET, ("", True))
    ended = panel_view(Moment(replace(passed, status=SessionStatus.FINISHED)))
    assert (ended.state, actions(ended)["register"]) == ("FINISHED", ("no run is tracked now", False))
    assert ended.actions[2] == Action("compile", "Compile")


def test_what_is_too_much_is_counted():
    many = replace(
        STATUS,
        parameters={f"p{n}": n for n in range(5000)},
        metrics={f"m{n}": float(n) for n in range(5000)},
        data=tuple(DataRecord(f"d{n}", "00", "file") for n in range(100)),
        checks=tuple(CheckRecord(f"d{n}", "s", False, ("x",) * 50) for n in range(30)),
        notes=tuple("n" * 10_000 for _ in range(100)),
    )
    view = panel_view(Moment(many))
    assert [notice.title for notice in view.notices][5:] == [
        "d4 breaks schema s",
        "25 more schemas are broken",
        "Worth knowing",
    ]
    assert [len(part.rows) for part in view.sections] == [0, 60, 60, 60]
    assert section(view, "parameters").notes == ("and 4,940 more",)
    assert len(str(to_json(view))) < 100_000


def test_what_went_wrong_with_the_panel_is_told_first():
    view = panel_view(replace(MOMENT, fault="the store is away"))
    assert view.notices[0] == Notice(Tone.BAD, "This panel is not up to date", ("the store is away",))


def test_as_text():
    moment = replace(MOMENT, progress=Progress("", 1, Notice(Tone.BAD, "no", ("hint: do it",))))
    assert panel_text(panel_view(moment)).splitlines() == [
        "RUNNING flights · 12 cells recorded",
        "run:",
        "  fact          value",
        "  experiment    demo",
        "  run           0123456789abcdef",
        "  notebook      flights.ipynb",
        f"  commit        {'c' * 40}-dirty",
        "  store         sqlite:///mlflow.db",
        f"  reproducible  {STATUS.reproducible}",
        "Gate, if it judged now (would PASS (2 of 2 rules passed)):",
        "  rule     outcome  metric  value  threshold                    baseline",
        "  floor    PASS     auc     0.83   >= 0.7",
        "  no drop  PASS     auc     0.83   >= champion - 0.01: >= 0.79  0.8",
        "Metrics (3):",
        "  metric  value  champion  change        this run  recent runs",
        "  auc     0.83   0.8       +0.03 better            ▁▂▂█",
        "  loss    0.4    0.3       +0.1 worse    █▅▂",
        "  n       3",
        "Parameters (1):",
        "  parameter  value",
        "  depth      5",
        "Inputs (1):",
        "  input    kind     rows   fingerprint                       evidence  schema",
        f"  flights  frame    4,000  {'ab' * 16}  declared  breaks f",
        "  other    checked                                                     keeps o",
        "no: hint: do it",
        "Hidden state: a new run from top to bottom would end differently",
        "  - cell 3 was edited after it ran",
        "  - `x` came from a cell that was deleted or edited since",
        "flights breaks schema f: hour: 2 rows are below 0",
        "a preview of what the gate would say now: nothing is stored yet",
        "compared with: flights version 2",
        "dashed line: the champion, flights version 2",
    ]


def test_the_picture_that_stays_says_the_same_without_script():
    html = panel_html(panel_view(MOMENT))
    tree = ET.fromstring(html)
    assert "script" not in {node.tag for node in tree.iter()}
    assert [name for node in tree.iter() for name in node.attrib if name.startswith("on")] == []
    shown = " ".join(" ".join(tree.itertext()).split())
    for word in ("RUNNING", "would PASS", "cell 3 was edited after it ran", "breaks f", "+0.03 better"):
        assert word in shown
    assert len(tree.findall(".//svg")) == 2


@pytest.mark.parametrize("text", PAYLOADS, ids=range(len(PAYLOADS)))
def test_names_and_values_of_the_users_stay_text_everywhere(text: str):
    hostile = StatusView(
        SessionStatus.RUNNING,
        *[text] * 7,
        parameters={text: text},
        metrics={text: 1.0},
        data=(DataRecord(text, text, text, profile={"evidence": text}),),
        checks=(CheckRecord(text, text, False, (text,)),),
        verdict=Verdict(False, (RuleResult(text, text, 1.0, text, 1.0, Outcome.FAIL, text),), text, text, text),
        model_version=ModelVersionRef(text, text, (text,)),
        notes=(text,),
    )
    progress = Progress(outcome=Notice(Tone.BAD, text, (text,)))
    made = {text: ValueMade(1, ValueSeen(text, text, (1,), text, text))}
    view = panel_view(Moment(hostile, {text: (1.0, 2.0)}, AROUND, progress=progress, fault=text, made=made))
    tree = ET.fromstring(panel_html(view))
    assert {node.tag for node in tree.iter()} <= TAGS
    assert {name for node in tree.iter() for name in node.attrib} <= ATTRIBUTES
    for form in (panel_html(view), panel_text(view), str(to_json(view))):
        assert re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", form) is None
        assert len(form) < 60_000


TAGS = {"section", "p", "strong", "small", "span", "div", "ul", "li", "table", "caption", "thead", "tbody", "tr", "th"}
TAGS |= {"td", "svg", "line", "polyline", "circle"}
ATTRIBUTES = {"class", "style", "title", "role", "scope", "aria-label", "viewBox", "width", "height", "points"}
ATTRIBUTES |= {"x1", "x2", "y1", "y2", "cx", "cy", "r"}
