"""Checks and changes of schemas as JSON."""

from __future__ import annotations

from msgspec.structs import asdict

from nbmlops.core.diagnostics import Json
from nbmlops.core.records import CheckRecord
from nbmlops.data.schema.diff import Change


def check_to_json(record: CheckRecord) -> dict[str, Json]:
    """Returns a check as plain data."""
    findings: list[Json] = [asdict(finding) | {"examples": list(finding.examples)} for finding in record.findings]
    return {
        "data": record.data,
        "schema": record.schema,
        "passed": record.passed,
        "failures": list(record.failures),
        "findings": findings,
    }


def change_to_json(change: Change) -> dict[str, Json]:
    """Returns a change as plain data."""
    return asdict(change)
