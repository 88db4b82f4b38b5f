"""Diagnostics in SARIF 2.1.0, the format in which code hosts take what a linter found.

Code hosts show files by their lines, so a result stands at the line of the `.ipynb` file that holds the cell's line;
the cell and its line are told in the message, as the logical location and as properties.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct

from nbmlops.app.compiling.installed import own_version
from nbmlops.cli.code_texts import code_texts, text_of
from nbmlops.core.diagnostics import Diagnostic, Json
from nbmlops.core.digest import digest_json
from nbmlops.notebook.file_lines import file_lines

if TYPE_CHECKING:  # a command that failed before it read anything need not load the compiler
    from nbmlops.app.compiling.inspect import Inspection

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# The name of the fingerprint carries a version: another way to make it must not look like other faults.
_FINGERPRINT = "nbmlopsDiagnostic/v1"
_ROOT = "%SRCROOT%"


class SarifFile(Struct, frozen=True):
    """The file that results are about: its path from the repository's root, and where the lines of its cells stand."""

    uri: str
    lines: Sequence[Sequence[int]] = ()


def inspection_sarif(inspection: Inspection) -> dict[str, Json]:
    """Returns the SARIF document of a notebook; what its cells leave out is there, marked as suppressed."""
    source = inspection.source
    path = Path(os.path.relpath(source.path, source.repository)).as_posix()
    file = SarifFile(quote(path), file_lines(source.path.read_bytes()))
    compiled = inspection.compiled
    return sarif_document(compiled.diagnostics, compiled.suppressed, file, own_version())


def sarif_document(
    diagnostics: Sequence[Diagnostic], suppressed: Sequence[Diagnostic], file: SarifFile, version: str
) -> dict[str, Json]:
    """Returns a SARIF document.

    Args:
        diagnostics: What was found.
        suppressed: What cells ask not to be told.
        file: The notebook's file.
        version: Of nbmlops.
    """
    codes = sorted({found.code for found in (*diagnostics, *suppressed)})
    numbers = {code: number for number, code in enumerate(codes)}
    seen: Counter[str] = Counter()
    results = [_result(found, numbers, file, seen, suppressed=False) for found in diagnostics]
    results += [_result(found, numbers, file, seen, suppressed=True) for found in suppressed]
    driver: dict[str, Json] = {"name": "nbmlops", "version": version, "rules": list(_rules(codes))}
    run: dict[str, Json] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": _location(file)}] if file.uri else [],
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def fault_sarif(diagnostics: Sequence[Diagnostic], version: str) -> dict[str, Json]:
    """Returns the SARIF document of a command that stopped before it could look at a notebook."""
    document = sarif_document((), (), SarifFile(""), version)
    notifications: list[Json] = [
        {"level": "error", "message": {"text": _message(found)}, "descriptor": {"id": found.code}}
        for found in diagnostics
    ]
    runs = document["runs"]
    assert isinstance(runs, list)
    runs[0]["invocations"] = [{"executionSuccessful": False, "toolExecutionNotifications": notifications}]
    return document


def _result(
    found: Diagnostic, numbers: Mapping[str, int], file: SarifFile, seen: Counter[str], *, suppressed: bool
) -> dict[str, Json]:
    span = found.span
    place: dict[str, Json] = {
        "physicalLocation": {"artifactLocation": _location(file), "region": {"startLine": _line(found, file)}}
    }
    if span.cell:
        name = f"cell {span.cell}" + (f" line {span.line}" if span.line else "")
        place["logicalLocations"] = [{"name": name, "fullyQualifiedName": span.cell_id, "kind": "element"}]
    result: dict[str, Json] = {
        "ruleId": found.code,
        "ruleIndex": numbers[found.code],
        "level": found.severity.value,
        "message": {"text": _message(found)},
        "locations": [place],
        "partialFingerprints": {_FINGERPRINT: _fingerprint(found, seen)},
        "properties": {"cell": span.cell, "cellId": span.cell_id, "line": span.line, "column": span.col},
    }
    return result | ({"suppressions": [{"kind": "inSource"}]} if suppressed else {})


def _message(found: Diagnostic) -> str:
    span = found.span
    place = f"cell {span.cell}" + (f" line {span.line}" + (f":{span.col}" if span.col else "") if span.line else "")
    return (f"{place}: " if span.cell else "") + found.message + (f"\nhint: {found.hint}" if found.hint else "")


def _location(file: SarifFile) -> dict[str, Json]:
    return {"uri": file.uri, "uriBaseId": _ROOT}


def _line(found: Diagnostic, file: SarifFile) -> int:
    """Returns the line of the file: that of the cell's line, else of its first one, else the file's first."""
    lines = file.lines[found.span.cell - 1] if 0 < found.span.cell <= len(file.lines) else ()
    if not lines:
        return 1
    return lines[min(max(found.span.line, 1), len(lines)) - 1]


def _fingerprint(found: Diagnostic, seen: Counter[str]) -> str:
    """Returns what stays the same when cells move or other lines change: numbers do not count."""
    message = re.sub(r"\d+", "", found.message)
    digest = str(digest_json([found.code, found.span.cell_id, found.span.source_line.strip(), message]))[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


def _rules(codes: Iterable[str]) -> Iterable[dict[str, Json]]:
    texts = code_texts()
    for code in codes:
        title, text = text_of(code, texts)
        rule: dict[str, Json] = {"id": code, "shortDescription": {"text": title or code}}
        if text:
            rule["fullDescription"] = {"text": text}
            rule["help"] = {"text": text}
        yield rule
