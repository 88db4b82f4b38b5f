"""`nbmlops schema infer`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from nbmlops.app.data.schemas import infer
from nbmlops.app.show.views import CheckView
from nbmlops.cli.blocks import Block, Line, Tone
from nbmlops.cli.options import emit, format_option
from nbmlops.cli.schema_documents import check_to_json
from nbmlops.core.diagnostics import Json

SCHEMA = "nbmlops/schema-infer/1"
HELP = """\
Write the schema that a file of data (CSV, TSV, Parquet, Feather, JSON lines) keeps: types, missing values, ranges with
a margin, texts that are the only ones, columns without repeated values. Review it, and edit it: it is yours.

\b
Examples:
  nbmlops schema infer data/flights.parquet            writes schemas/flights.yaml
  nbmlops schema infer data/may.csv --name flights --update
"""


@click.command(name="infer", help=HELP, short_help="Write the schema that a file of data keeps.")
@click.argument("data", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--name", default="", help="The schema's name.  [default: that of the file]")
@click.option(
    "--update", is_flag=True, help="Widen the rules of an existing schema that the data breaks; comments stay."
)
@click.option("--force", is_flag=True, help="Infer it anew although there is one.")
@format_option
def command(data: Path, name: str, update: bool, force: bool, output: str) -> int:
    """Infers; returns the exit code."""
    view = infer(data, name, Path.cwd(), update=update, force=force)
    emit(output, lambda: _document(view), lambda: _blocks(view))
    return 0


def _document(view: CheckView) -> dict[str, Json]:
    return {
        "schema": SCHEMA,
        "written": view.written,
        "widened": list(view.widened),
        "check": check_to_json(view.record),
        "diagnostics": [],
    }


def _blocks(view: CheckView) -> Iterator[Block]:
    for said in view.widened:
        yield Line(f"widened: {said}")
    if view.written:
        yield Line(f"written: {view.written}; review and commit it", Tone.GOOD)
    else:
        yield Line(f"the data keeps schema {view.record.schema} as it is", Tone.GOOD)
