"""`nbmlops schema check`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from nbmlops.app.data.schemas import check
from nbmlops.cli.blocks import Block, Line, Tone
from nbmlops.cli.options import emit, format_option
from nbmlops.cli.schema_documents import check_to_json
from nbmlops.core.errors import ExitCode
from nbmlops.core.records import CheckRecord

SCHEMA = "nbmlops/schema-check/1"
HELP = """\
Say whether a file of data keeps a schema: which rule is broken, by how many rows, with a few examples. Exit code 5
where it does not.

\b
Examples:
  nbmlops schema check data/flights.parquet
  nbmlops schema check data/may.csv --schema flights --format json
"""


@click.command(name="check", help=HELP, short_help="Say whether a file of data keeps a schema.")
@click.argument("data", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--schema", default="", help="A name, a path, or NAME@REVISION.  [default: the name of the file]")
@format_option
def command(data: Path, schema: str, output: str) -> int:
    """Checks; returns the exit code."""
    record = check(data, schema, Path.cwd())
    emit(
        output,
        lambda: {"schema": SCHEMA, "check": check_to_json(record), "diagnostics": []},
        lambda: _blocks(record),
    )
    return int(ExitCode.SUCCESS if record.passed else ExitCode.COMPARISON_FAILED)


def _blocks(record: CheckRecord) -> Iterator[Block]:
    if record.passed:
        yield Line(f"{record.data} keeps schema {record.schema}", Tone.GOOD)
        return
    yield Line(f"{record.data} breaks schema {record.schema}:", Tone.BAD)
    for failure in record.failures:
        yield Line(f"  {failure}")
