"""A verdict as JUnit XML, which every CI system shows: a test case for each rule."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from nbmlops.app.gate import GateOutcome
from nbmlops.cli.blocks import printable
from nbmlops.gate.verdict import Outcome, RuleResult, waiver_text


def junit(outcome: GateOutcome) -> bytes:
    """Returns the XML document: a rule that failed is a failure; one that is waived or not applicable is skipped."""
    verdict = outcome.verdict
    results = verdict.results or (_refusal(verdict.refusal),)
    failures = sum(result.outcome is Outcome.FAIL for result in results)
    skipped = sum(result.outcome in {Outcome.NOT_APPLICABLE, Outcome.WAIVED} for result in results)
    counts = {"tests": str(len(results)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    name = printable(f"gate of {outcome.pipeline}", one_line=True)
    root = ET.Element("testsuites", {"name": name, **counts})
    suite = ET.SubElement(root, "testsuite", {"name": name, **counts, "time": "0.00"})
    for result in results:
        _add_case(suite, name, result)
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode("utf-8", "backslashreplace")


def _refusal(why: str) -> RuleResult:
    return RuleResult("rules", "", None, "", None, Outcome.FAIL, why)


def _add_case(suite: ET.Element, place: str, result: RuleResult) -> None:
    case = ET.SubElement(suite, "testcase", classname=place, name=printable(result.rule, one_line=True))
    message = printable(result.reason or result.outcome.value, one_line=True)
    if result.outcome is Outcome.FAIL:
        told = ET.SubElement(case, "failure", message=message, type="gate")
        told.text = printable(" ".join(result.cells()), one_line=True)
    elif result.waiver is not None:
        text = printable(f"{waiver_text(result.waiver)} ({message})", one_line=True)
        ET.SubElement(case, "skipped", message=text)
    elif result.outcome is Outcome.NOT_APPLICABLE:
        ET.SubElement(case, "skipped", message=message)
