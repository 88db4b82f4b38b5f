"""The audit log as blocks, as a document, as JSON lines and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nbmlops.cli.blocks import Block, Line, Table, Tone, cells
from nbmlops.core.diagnostics import Json
from nbmlops.registry.audit import TABLE_HEAD, AuditLine, line_to_json, table_row

if TYPE_CHECKING:
    from nbmlops.app.versions.audit import ModelAudit

AUDIT_SCHEMA = "nbmlops/audit-log/1"
_COLUMNS = ("number", "when", "who", "action", "model", "version", "aliases", "before", "reason", "verdict", "waived")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def audit_blocks(audits: Sequence[ModelAudit]) -> Iterator[Block]:
    """Yields a table for each model, and what is wrong with its log."""
    if not audits:
        yield Line("no model is registered")
    for audit in audits:
        rows = tuple(cells(*table_row(line)) for line in audit.lines)
        yield Table(audit.model, TABLE_HEAD, rows, frozenset({"line", "version"}))
        yield from _state(audit)


def verify_blocks(audits: Sequence[ModelAudit]) -> Iterator[Block]:
    """Yields one line for each model, and what is wrong with its log."""
    if not audits:
        yield Line("no model is registered")
    for audit in audits:
        if not audit.faults:
            count = len(audit.lines)
            yield Line(f"{audit.model}: {count} line{'' if count == 1 else 's'}, intact", Tone.GOOD)
        yield from _state(audit)


def audit_document(audits: Sequence[ModelAudit]) -> dict[str, Json]:
    """Returns the document of `audit show` and `audit verify` with `--format json`."""
    return {
        "schema": AUDIT_SCHEMA,
        "status": "broken" if any(audit.faults for audit in audits) else "intact",
        "models": [
            {
                "model": audit.model,
                "lines": [_with_hash(line) for line in audit.lines],
                "faults": list(audit.faults),
                "pending": audit.pending,
                "notes": list(audit.notes),
            }
            for audit in audits
        ],
    }


def json_lines(audits: Sequence[ModelAudit]) -> str:
    """Returns one line of JSON for each line of the logs, with its hash."""
    return "".join(json.dumps(_with_hash(line)) + "\n" for audit in audits for line in audit.lines)


def csv_text(audits: Sequence[ModelAudit]) -> str:
    """Returns the logs as CSV with a head; what a spreadsheet would take for a formula is marked as text."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow((*_COLUMNS, "hash"))
    for audit in audits:
        for line in audit.lines:
            document = line_to_json(line)
            values = [document[column] for column in _COLUMNS]
            plain = [json.dumps(value) if isinstance(value, dict) else str(value) for value in values]
            writer.writerow((*(f"'{one}" if one.startswith(_FORMULA) else one for one in plain), line.hash))
    return text.getvalue()


def _state(audit: ModelAudit) -> Iterator[Line]:
    yield from (Line(f"{audit.model}: {fault}", Tone.BAD) for fault in audit.faults)
    yield from (Line(f"{audit.model}: {note}", Tone.DIM) for note in audit.notes)
    if audit.pending:
        yield Line(f"{audit.model}: being changed by {audit.pending}", Tone.WARNING)


def _with_hash(line: AuditLine) -> dict[str, Json]:
    return {**line_to_json(line), "hash": line.hash}
