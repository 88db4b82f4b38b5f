"""`nbmlops data diff`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from nbmlops.app.data.diff import DataComparison, diff_in_project
from nbmlops.app.data.views import HEAD, MOST_COLUMNS, headline, notes, table_rows
from nbmlops.cli.blocks import Block, Cell, Line, Table, Tone, cells
from nbmlops.cli.options import emit, format_option
from nbmlops.core.diagnostics import Json
from nbmlops.data.profiles.diff import DataDiff

DIFF_SCHEMA = "nbmlops/data-diff-command/1"
HELP = """\
Show what changed between two versions of data: names and types, rows, and how far the values of each column moved. Of
data that a run logged nothing but its profile is needed, which was stored with the run.

\b
BEFORE and AFTER are each one of
  a file            CSV, TSV, Parquet, Feather, JSON lines; of other files only the bytes are compared
  NAME              the newest version that was logged under the name; NAME~1 is the one before
  RUN:NAME          what a run logged under the name
  RUN               everything that a run logged

\b
Examples:
  nbmlops data diff old.parquet new.parquet
  nbmlops data diff flights~1 flights
"""
_TONES = {"strong": Tone.BAD, "some": Tone.WARNING, "none": Tone.GOOD}


@click.command(name="diff", help=HELP, short_help="Show what changed between two versions of data.")
@click.argument("before")
@click.argument("after")
@format_option
def command(before: str, after: str, output: str) -> int:
    """Compares; returns the exit code."""
    comparison = diff_in_project(before, after, Path.cwd())
    emit(output, lambda: _document(comparison), lambda: _blocks(comparison))
    return 0


def _document(comparison: DataComparison) -> dict[str, Json]:
    return {
        "schema": DIFF_SCHEMA,
        "diffs": [diff.to_json() for diff in comparison.diffs],
        "alone": [[name, side] for name, side in comparison.alone],
        "diagnostics": [],
    }


def _blocks(comparison: DataComparison) -> Iterator[Block]:
    for diff in comparison.diffs:
        yield from _of_diff(diff)
    for name, side in comparison.alone:
        yield Line(f"{name}: only {side}", Tone.WARNING)
    if not comparison.diffs and not comparison.alone:
        yield Line("neither run logged any data")


def _of_diff(diff: DataDiff) -> Iterator[Block]:
    yield Line(headline(diff), Tone.STRONG if diff.kinds else Tone.GOOD)
    rows = tuple(
        tuple(
            Cell(text, _TONES.get(text, Tone.PLAIN)) if place == 2 else cells(text)[0] for place, text in enumerate(row)
        )
        for row in table_rows(diff.columns[:MOST_COLUMNS])
    )
    if rows:
        yield Table("", HEAD, rows, frozenset({"distance", "stability"}))
    for note in notes(diff):
        yield Line(note, Tone.DIM)
