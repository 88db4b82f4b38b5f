from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from nbmlops.cli.sarif import SarifFile, fault_sarif, sarif_document
from nbmlops.core.diagnostics import Diagnostic, Severity, SourceSpan

FILE = SarifFile("my%20work/nb.ipynb", [[10, 11], [], [30]])


def diagnostic(cell: int, line: int, **changes: Any) -> Diagnostic:
    span = SourceSpan("nb.ipynb", cell, f"c{cell}" if cell else "", line, 5, source_line="  df.head()  ")
    values: dict[str, Any] = {
        "code": "NB203",
        "severity": Severity.ERROR,
        "message": "'df' is read",
        "span": span,
        "hint": "bind it",
    }
    return Diagnostic(**(values | changes))


def results(*diagnostics: Diagnostic) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(json.dumps(sarif_document(diagnostics, (), FILE, "1.0")))["runs"][0][
        "results"
    ]
    return found


def test_a_result() -> None:
    assert results(diagnostic(1, 2)) == [
        {
            "ruleId": "NB203",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "cell 1 line 2:5: 'df' is read\nhint: bind it"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "my%20work/nb.ipynb", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 11},
                    },
                    "logicalLocations": [{"name": "cell 1 line 2", "fullyQualifiedName": "c1", "kind": "element"}],
                }
            ],
            "partialFingerprints": {"nbmlopsDiagnostic/v1": "8c14181bd242fa6ba649d2354a2612c4:1"},
            "properties": {"cell": 1, "cellId": "c1", "line": 2, "column": 5},
        }
    ]


@pytest.mark.parametrize(
    ("cell", "line", "shown"), [(1, 0, 10), (1, 9, 11), (2, 1, 1), (3, 1, 30), (0, 0, 1), (7, 1, 1)]
)
def test_places_that_the_file_does_not_have_are_shown_as_near_as_possible(cell: int, line: int, shown: int) -> None:
    (result,) = results(diagnostic(cell, line))
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": shown}


def fingerprints(*diagnostics: Diagnostic) -> list[str]:
    return [result["partialFingerprints"]["nbmlopsDiagnostic/v1"] for result in results(*diagnostics)]


def test_fingerprints_stay_when_cells_move_and_tell_faults_apart() -> None:
    first = diagnostic(1, 2)
    moved = diagnostic(4, 7, span=SourceSpan("nb.ipynb", 4, "c1", 7, 1, source_line="df.head()"))
    assert fingerprints(first) == fingerprints(moved)
    numbered = [diagnostic(1, 2, message=f"step began in cell {number}") for number in (3, 12)]
    assert fingerprints(numbered[0]) == fingerprints(numbered[1])
    others = [first, diagnostic(1, 2, code="NB204"), diagnostic(3, 2), diagnostic(1, 2, message="'dg' is read")]
    assert len(set(fingerprints(*others))) == len(others)
    assert [mark.partition(":")[2] for mark in fingerprints(first, moved)] == ["1", "2"]


def test_rules_have_the_texts_of_the_documentation() -> None:
    found = [diagnostic(1, 1, code=code) for code in ("NB501", "NB302", "NB203", "NB109", "NB150", "NB102", "NB203")]
    rules: Any = sarif_document(found, (), FILE, "1.0")["runs"]
    shown = [(rule["id"], rule["shortDescription"]["text"]) for rule in rules[0]["tool"]["driver"]["rules"]]
    assert shown == [
        ("NB102", "cell id repeated or malformed"),
        ("NB109", "border left out"),
        ("NB150", "suppression without effect"),
        ("NB203", "name that no earlier step defines"),
        ("NB302", "what cannot be a parameter"),
        ("NB501", "line that belongs to two places"),
    ]
    assert all(rule["help"]["text"] for rule in rules[0]["tool"]["driver"]["rules"])


def test_what_cells_leave_out_is_marked() -> None:
    document: Any = sarif_document((diagnostic(1, 1),), (diagnostic(3, 1),), FILE, "1.0")
    assert [result.get("suppressions") for result in document["runs"][0]["results"]] == [None, [{"kind": "inSource"}]]


def test_a_command_that_stopped() -> None:
    document: Any = fault_sarif([diagnostic(0, 0, code="NB902")], "1.0")
    assert document["runs"][0]["results"] == []
    assert document["runs"][0]["invocations"] == [
        {
            "executionSuccessful": False,
            "toolExecutionNotifications": [
                {"level": "error", "message": {"text": "'df' is read\nhint: bind it"}, "descriptor": {"id": "NB902"}}
            ],
        }
    ]


# What the schema of SARIF 2.1.0 requires of the objects that are used, and the values that it allows.
_REQUIRED = {
    "": {"version", "runs"},
    "runs": {"tool"},
    "tool": {"driver"},
    "driver": {"name"},
    "rules": {"id"},
    "results": {"message"},
    "invocations": {"executionSuccessful"},
    "toolExecutionNotifications": {"message"},
    "suppressions": {"kind"},
    "message": {"text"},
    "shortDescription": {"text"},
    "fullDescription": {"text"},
    "help": {"text"},
}
_ALLOWED = {
    "version": {"2.1.0"},
    "level": {"none", "note", "warning", "error"},
    "columnKind": {"utf16CodeUnits", "unicodeCodePoints"},
}


def objects(value: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield name, value
        for key, part in value.items():
            yield from objects(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from objects(part, name)


@pytest.mark.parametrize(
    "document",
    [
        sarif_document((diagnostic(1, 1), diagnostic(0, 0)), (diagnostic(3, 1, severity=Severity.NOTE),), FILE, "1.0"),
        sarif_document((), (), FILE, "1.0"),
        fault_sarif([diagnostic(0, 0)], "1.0"),
    ],
)
def test_the_document_has_what_the_format_requires(document: dict[str, Any]) -> None:
    for name, part in objects(document):
        assert part.keys() >= _REQUIRED.get(name, set()), name
        for key, allowed in _ALLOWED.items():
            assert part.get(key, next(iter(allowed))) in allowed or name == "driver", key
        for region in (part[key] for key in ("region",) if key in part):
            assert region["startLine"] >= 1
    runs: Any = document["runs"]
    rules = runs[0]["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in runs[0]["results"])
