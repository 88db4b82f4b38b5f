"""The JUnit document: counts, kinds of results, and texts that XML could not hold."""

from xml.etree import ElementTree as ET

from nbmlops.app.verify.report import ComparedStep, ComparedValue, Status, Verification
from nbmlops.cli.verify_junit import junit
from tests.fakes import verify_results as results


def suites(found: Verification) -> dict[str, list[tuple[str, str, str]]]:
    """Suite -> name, result and message of each case; checks that the counts are those of the cases."""
    root = ET.fromstring(junit(found))
    read: dict[str, list[tuple[str, str, str]]] = {}
    for suite in root:
        cases = [
            (
                case.get("name", ""),
                "".join(told.tag for told in case),
                "".join(told.get("message", "") for told in case),
            )
            for case in suite
        ]
        read[suite.get("name", "")] = cases
        counted = [
            len(cases),
            *(sum(result == kind for _, result, _ in cases) for kind in ("failure", "error", "skipped")),
        ]
        assert [int(suite.get(key, "")) for key in ("tests", "failures", "errors", "skipped")] == counted
    for key in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(key, "")) == sum(int(suite.get(key, "")) for suite in root)
    return read


def test_steps_are_suites_and_verdicts_are_cases() -> None:
    assert suites(results.DIFFERENT) == {
        "notebook": [("compiles", "", ""), ("runs", "", "")],
        "load": [
            ("runs in the pipeline", "", ""),
            ("value df", "", ""),
            ("value now", "skipped", "1 and 2"),
            ("outputs of cell 2", "", ""),
        ],
        "train": [
            ("runs in the pipeline", "failure", "ValueError: no"),
            ("value model", "failure", ".coef_: <b>1</b> & 2"),
            ("value handle", "skipped", "it is open"),
            ("outputs of cell 3", "failure", "printed: 'a' in the notebook, 'b' in the pipeline"),
            ("metric auc", "", ""),
        ],
        "report": [("runs in the pipeline", "skipped", "an earlier step failed in the pipeline")],
    }


def test_a_notebook_that_is_refused_or_fails_is_an_error() -> None:
    assert suites(results.REFUSED) == {"notebook": [("NB203 cell 3", "error", "error[NB203]: 'df' is not known")]}
    assert suites(results.FAILED) == {"notebook": [("compiles", "", ""), ("cell 2 runs", "error", "no")]}


def test_characters_that_xml_cannot_hold_are_replaced() -> None:
    value = ComparedValue("a", Status.DIFFERENT, "one\x00two \ud800 ünï")
    found = Verification("a.ipynb", Status.DIFFERENT, None, (ComparedStep("one", (1,), values=(value,)),))
    assert suites(found)["one"][1] == (
        "value a",
        "failure",
        "one\N{REPLACEMENT CHARACTER}two \N{REPLACEMENT CHARACTER} ünï",
    )
