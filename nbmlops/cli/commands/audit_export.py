"""`nbmlops audit export`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.versions.audit import audit_models
from nbmlops.cli.audit_output import csv_text, json_lines
from nbmlops.cli.console import stray_output
from nbmlops.core.documents import write_atomically

HELP = """\
Write the audit log as JSON lines, each with its hash, or as CSV. JSON lines that are kept elsewhere are what
`audit verify --against` compares with.

\b
Examples:
  nbmlops audit export > audit.jsonl
  nbmlops audit export churn --format csv --out audit.csv
"""


@click.command(name="export", help=HELP, short_help="Write the log as JSON lines or CSV.")
@click.argument("model", metavar="[MODEL]", default="")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("-o", "--out", default="-", metavar="FILE", help="Where to; default: standard output.")
def command(model: str, form: str, out: str) -> int:
    """Exports the log; returns the exit code."""
    with redirect_stdout(stray_output()):
        audits = audit_models(model, Path.cwd())
    text = csv_text(audits) if form == "csv" else json_lines(audits)
    if out == "-":
        sys.stdout.write(text)
    else:
        write_atomically(Path(out), text.encode())
    return 0
