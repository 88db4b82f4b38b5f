"""The result of verifying as JUnit XML, which every CI system shows: a suite for each step, a case for each verdict."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from msgspec import Struct

from nbmlops.app.verify.report import ComparedStep, Status, Verification
from nbmlops.cli.blocks import printable
from nbmlops.core.diagnostics import Severity, render_diagnostic

_RESULTS = {Status.DIFFERENT: "failure", Status.NONDETERMINISTIC: "skipped", Status.UNCOMPARED: "skipped"}


class _Case(Struct, frozen=True):
    """A test case; `result` is "", "failure", "error" or "skipped"."""

    name: str
    result: str = ""
    kind: str = ""
    message: str = ""


def junit(found: Verification) -> bytes:
    """Returns the XML document."""
    root = ET.Element("testsuites", name=printable(f"nbmlops verify {found.notebook}", one_line=True))
    suites = [("notebook", list(_notebook_cases(found)), sum(found.seconds.values()))]
    suites += [(step.name, list(_step_cases(step)), 0.0) for step in found.steps]
    for name, cases, seconds in suites:
        _add_suite(root, found.notebook, name, cases, seconds)
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode("utf-8", "backslashreplace")


def _notebook_cases(found: Verification) -> Iterator[_Case]:
    errors = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    if errors:
        for diagnostic in errors:
            text = render_diagnostic(diagnostic)
            yield _Case(f"{diagnostic.code} cell {diagnostic.span.cell}", "error", diagnostic.code, text)
    else:
        yield _Case("compiles")
    if found.error is not None:
        error = found.error
        yield _Case(f"cell {error.cell} runs", "error", error.name, f"{error.message}\n{error.traceback}".rstrip())
    elif not errors:
        yield _Case("runs")


def _step_cases(step: ComparedStep) -> Iterator[_Case]:
    if step.error:
        yield _Case("runs in the pipeline", "failure", "failed", step.error)
    elif not step.reached:
        yield _Case("runs in the pipeline", "skipped", "not reached", "an earlier step failed in the pipeline")
    else:
        yield _Case("runs in the pipeline")
    for value in step.values:
        yield _case(f"value {value.name}", value.status, value.detail)
    for cell in step.outputs:
        yield _case(f"outputs of cell {cell.cell}", cell.status, cell.detail)
    for record in step.logged:
        yield _case(f"{record.kind} {record.name}", record.status, record.detail)


def _case(name: str, status: Status, detail: str) -> _Case:
    return _Case(name, _RESULTS.get(status, ""), status.value, detail)


def _add_suite(root: ET.Element, notebook: str, name: str, cases: list[_Case], seconds: float) -> None:
    counts = {kind: sum(case.result == kind for case in cases) for kind in ("failure", "error", "skipped")}
    suite = ET.SubElement(
        root,
        "testsuite",
        name=printable(name, one_line=True),
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time=f"{seconds:.2f}",
    )
    for case in cases:
        place = printable(f"{notebook}.{name}", one_line=True)
        element = ET.SubElement(suite, "testcase", classname=place, name=printable(case.name, one_line=True))
        if case.result:
            message = printable(case.message)
            told = ET.SubElement(element, case.result, message=message.split("\n", maxsplit=1)[0])
            if case.result != "skipped":
                told.set("type", case.kind)
                told.text = message
