"""`nbmlops schema export`."""

from __future__ import annotations

from pathlib import Path

import click

from nbmlops.app.data.schemas import export
from nbmlops.core.documents import write_atomically

HELP = """\
Print a schema as an MLflow signature (JSON, what `ModelSignature.from_dict` reads) or as the source of a pydantic model
of one row. SCHEMA is a name in schemas/, a path, or one of these with @REVISION.

\b
Examples:
  nbmlops schema export flights --to mlflow
  nbmlops schema export flights --to pydantic --out service/flights.py
"""


@click.command(name="export", help=HELP, short_help="Print a schema in another form.")
@click.argument("schema")
@click.option("--to", "form", type=click.Choice(["mlflow", "pydantic"]), required=True, help="The form.")
@click.option("--out", type=click.Path(path_type=Path), help="Write it to this file.")
def command(schema: str, form: str, out: Path | None) -> int:
    """Exports; returns the exit code."""
    text = export(schema, form, Path.cwd())
    if out is None:
        click.echo(text, nl=False)
    else:
        write_atomically(out, text.encode())
    return 0
