"""A verdict as JUnit XML, which every CI system shows: a test case for each rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from nbmlops.app.judging.gate import GateOutcome
from nbmlops.cli.blocks import printable
from nbmlops.core.records import BehaviourOutcome
from nbmlops.gate.verdict import Outcome, RuleResult, waiver_text

JUNIT_FILE = "gate.xml"
"""Its name in the folder of a run."""


def junit(outcome: GateOutcome) -> bytes:
    """Returns the XML document: a rule that failed is a failure; one that is waived or not applicable is skipped.

    Behaviour tests that a rule is about are test cases of their own, once, behind the rules.
    """
    verdict = outcome.verdict
    name = printable(f"gate of {outcome.pipeline}", one_line=True)
    suite = ET.Element("testsuite", {"name": name})
    for result in verdict.results or (_refusal(verdict.refusal),):
        _add_case(suite, name, result)
    for test, result in _tests(verdict.results).values():
        _add_test(suite, printable(f"behaviour tests of {outcome.pipeline}", one_line=True), test, result)
    found = {kind: len(suite.findall(f"testcase/{kind}")) for kind in ("failure", "error", "skipped")}
    counts = {"tests": len(suite), "failures": found["failure"], "errors": found["error"], "skipped": found["skipped"]}
    said = {key: str(count) for key, count in counts.items()}
    suite.attrib.update({**said, "time": "0.00"})
    root = ET.Element("testsuites", {"name": name, **said})
    root.append(suite)
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode("utf-8", "backslashreplace")


def _tests(results: tuple[RuleResult, ...]) -> dict[str, tuple[Mapping[str, Any], RuleResult]]:
    """Returns name -> a behaviour test with the rule that is about it; one that nobody waives goes before others."""
    found: dict[str, tuple[Mapping[str, Any], RuleResult]] = {}
    for result in sorted(results, key=lambda one: one.waiver is not None):
        detail: Mapping[str, Any] = result.detail
        for test in detail.get("tests", ()):
            found.setdefault(str(test["name"]), (test, result))
    return found


def _add_test(suite: ET.Element, place: str, test: Mapping[str, Any], result: RuleResult) -> None:
    case = ET.SubElement(suite, "testcase", classname=place, name=printable(str(test["name"]), one_line=True))
    message = printable(str(test["message"]), one_line=True)
    if test["outcome"] == BehaviourOutcome.PASS:
        return
    if result.waiver is not None:
        text = printable(f"{waiver_text(result.waiver)} ({message})", one_line=True)
        ET.SubElement(case, "skipped", message=text)
        return
    kind = "error" if test["outcome"] == BehaviourOutcome.ERROR else "failure"
    ET.SubElement(case, kind, message=message, type=printable(str(test["outcome"]), one_line=True))


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
