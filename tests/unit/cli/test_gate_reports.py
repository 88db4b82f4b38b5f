"""The gate's reports: JUnit XML, the HTML page with its pictures, and Markdown appended to a summary."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nbmlops.app.judging.gate import GateOutcome
from nbmlops.app.judging.report import CalibrationCurve
from nbmlops.cli.gate_html import gate_html
from nbmlops.cli.gate_junit import junit
from nbmlops.cli.gate_plots import PlotRow, calibration_svg, rows_svg
from nbmlops.cli.main import main
from nbmlops.core.documents import append_text
from nbmlops.core.errors import EnvironmentFault
from nbmlops.core.estimates import Estimate
from nbmlops.data.held_out.calibration import CalibrationBin
from nbmlops.gate.baseline import Champion, NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.evidence import Evidence, Found, Sampled
from nbmlops.gate.policy import Claim, ClaimKind, Policy, Rule, Sample
from nbmlops.gate.verdict import Verdict, Waiver, waive

HOSTILE = "<script>alert('x')</script>"
POLICY = Policy(
    (
        Rule("floor", "auc", min=0.7),
        Rule("live", "auc", baseline="champion", max_drop=0.01),
        Rule(HOSTILE, "auc", min=0.6, sample=Sample(slice_by="port", small_slices="leave out"), reason=HOSTILE),
        Rule("sure", "auc", baseline="champion", claim=Claim(ClaimKind.NOT_WORSE, 0.01), sample=Sample()),
    )
)
EVIDENCE = Evidence(
    {
        HOSTILE: Sampled((Estimate(f"port = {HOSTILE}", 90, 0.5), Estimate("port = B", 80, 0.8), Estimate("few", 2))),
        "sure": Sampled((Estimate("", 170, 0.8, 0.79, 0.01, -0.002, 0.02),)),
    }
)


def outcome(*, waived: bool = False) -> GateOutcome:
    verdict = evaluate({"auc": 0.8}, Champion("delays", "3", {"auc": 0.79}), POLICY, EVIDENCE)
    waivers = [Waiver(HOSTILE, "asked for", "Ada")] if waived else []
    return GateOutcome("delays", "a" * 32, waive(verdict, waivers))


def test_junit_has_a_case_for_each_rule() -> None:
    suite = ET.fromstring(junit(outcome())).find("testsuite")
    assert {key: suite.get(key) for key in ("tests", "failures", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "skipped": "0",
    }
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {"floor": [], "live": [], HOSTILE: ["failure"], "sure": []}
    waived = ET.fromstring(junit(outcome(waived=True))).find("testsuite")
    assert waived.find(".//skipped").get("message").startswith("waived by Ada: asked for (port = <script>")


def behaved(*, waived: bool = False) -> GateOutcome:
    stated = {"kind": "invariance", "asked": HOSTILE, "rows": 9, "broken": 0, "allowed": 0.0, "examples": []}
    tests = [
        {"name": "test_a", "outcome": "pass", "message": "", "expectations": [stated]},
        {"name": "test_b", "outcome": "fail", "message": HOSTILE, "expectations": []},
        {"name": "test_c", "outcome": "error", "message": "Boom", "expectations": []},
    ]
    facts = {
        ("failed_tests", ""): Found(2.0, "test_b (fail)", {"tests": tests}),
        ("failed_tests", "test_b"): Found(1.0, "test_b (fail)", {"tests": tests[1:2]}),
    }
    policy = Policy((Rule("all", fact="failed_tests"), Rule("b", fact="failed_tests", of="test_b")))
    verdict = evaluate({}, NoChampion(), policy, Evidence(facts=facts))
    waivers = [Waiver("all", "asked for", "Ada")] if waived else []
    return GateOutcome("delays", "a" * 32, waive(verdict, waivers))


def test_junit_has_a_case_for_each_behaviour_test() -> None:
    suite = ET.fromstring(junit(behaved())).find("testsuite")
    assert dict(suite.attrib) == {
        "name": "gate of delays",
        "tests": "5",
        "failures": "3",
        "errors": "1",
        "skipped": "0",
        "time": "0.00",
    }
    cases = {(case.get("classname"), case.get("name")): [child.tag for child in case] for case in suite}
    assert cases == {
        ("gate of delays", "all"): ["failure"],
        ("gate of delays", "b"): ["failure"],
        ("behaviour tests of delays", "test_a"): [],
        ("behaviour tests of delays", "test_b"): ["failure"],
        ("behaviour tests of delays", "test_c"): ["error"],
    }
    waived = ET.fromstring(junit(behaved(waived=True))).find("testsuite")
    # The rule about test_b alone is not waived.
    assert [child.tag for case in waived for child in case] == ["skipped", "failure", "failure", "skipped"]


def test_the_page_lists_behaviour_tests() -> None:
    text = gate_html(behaved())
    assert text.count("test_b") > 2
    assert "0 of 9 rows broke &#x27;&lt;script&gt;" in text
    assert "<script>" not in text


def test_junit_of_a_refusal_fails() -> None:
    refused = GateOutcome("delays", "r", evaluate({}, NoChampion(), Policy()))
    case = ET.fromstring(junit(refused)).find(".//failure")
    assert case.get("message") == "there are no rules"


class Tags(HTMLParser):
    """Collects names of elements, and checks that they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


def test_the_page_shows_rules_slices_and_intervals_and_runs_nothing() -> None:
    text = gate_html(outcome(waived=True))
    parser = Tags()
    parser.feed(text)
    assert "script" not in parser.seen
    assert "default-src 'none'" in text
    assert "waived by Ada: asked for" in text
    assert "paired bootstrap, 1,000 resamples, seed 0" in text
    assert "Too few rows: few (2)" in text
    assert text.count('<svg class="gate-plot"') == 3


def test_rows_are_placed_by_their_values() -> None:
    svg = rows_svg("caption", [PlotRow("a", 0.0), PlotRow("b", 1.0, 0.5, 0.2, 1.0, good=False)], [(0.5, "min")])
    places = [float(part.split('"')[0]) for part in svg.split('cx="')[1:]]
    assert places[0] < places[1] < places[2]  # a's value, b's baseline, b's value
    assert 'class="interval bad"' in svg
    assert rows_svg("one", [PlotRow("a", 0.7)], ()).count("circle") == 1


def test_calibration_is_told_in_words_as_well() -> None:
    svg = calibration_svg([CalibrationCurve("candidate", "held_out", (CalibrationBin(0.25, 0.5, 10),))])
    assert 'aria-label="candidate: 0.25 came true 0.50"' in svg


def test_a_reason_without_a_waiver_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "--reason", "why"]) == 2
    assert "name the rule: --waive RULE" in capsys.readouterr().err


def test_a_summary_is_appended_to(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    append_text(file, "one\n")
    append_text(file, "two\n")
    assert file.read_text() == "one\ntwo\n"
    with pytest.raises(EnvironmentFault, match="cannot write"):
        append_text(tmp_path, "x")


def test_verdicts_of_plain_rules_have_no_detail() -> None:
    verdict: Verdict = outcome().verdict
    assert [bool(result.detail) for result in verdict.results] == [False, False, True, True]
