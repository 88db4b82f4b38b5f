"""`nbmlops schema diff`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from nbmlops.app.data.schemas import SchemaDiff, diff
from nbmlops.cli.blocks import Block, Line, Table, Tone, cells
from nbmlops.cli.options import emit, format_option
from nbmlops.cli.schema_documents import change_to_json
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import ExitCode

SCHEMA = "nbmlops/schema-diff/1"
HELP = """\
Say what changed from schema BEFORE to AFTER. A change is breaking if data that keeps BEFORE may break AFTER; then the
exit code is 5. Each is a name in schemas/, a path, or one of these with @REVISION.

\b
Examples:
  nbmlops schema diff flights@main flights
  nbmlops schema diff old.yaml new.yaml --format json
"""


@click.command(name="diff", help=HELP, short_help="Say what changed between two schemas.")
@click.argument("before")
@click.argument("after")
@format_option
def command(before: str, after: str, output: str) -> int:
    """Compares; returns the exit code."""
    found = diff(before, after, Path.cwd())
    emit(output, lambda: _document(found), lambda: _blocks(found))
    return int(ExitCode.COMPARISON_FAILED if found.breaking else ExitCode.SUCCESS)


def _document(found: SchemaDiff) -> dict[str, Json]:
    return {
        "schema": SCHEMA,
        "status": _status(found),
        "before": found.before,
        "after": found.after,
        "changes": [change_to_json(change) for change in found.changes],
        "diagnostics": [],
    }


def _status(found: SchemaDiff) -> str:
    if not found.changes:
        return "equal"
    return "breaking" if found.breaking else "compatible"


def _blocks(found: SchemaDiff) -> Iterator[Block]:
    rows = tuple(
        cells(
            "breaking" if change.breaking else "compatible",
            change.column or "(frame)",
            change.rule,
            f"{change.before} -> {change.after}",
            change.reason,
        )
        for change in found.changes
    )
    if rows:
        yield Table(f"{found.before} -> {found.after}", ("change", "column", "rule", "from -> to", "why"), rows)
    said = {"equal": "says the same as", "compatible": "is compatible with", "breaking": "breaks what keeps"}
    tone = Tone.BAD if found.breaking else Tone.GOOD
    yield Line(f"{found.after} {said[_status(found)]} {found.before}", tone)
