"""`nbmlops audit show`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.versions.audit import audit_models
from nbmlops.cli.audit_output import audit_blocks, audit_document
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option

HELP = """\
Show the audit log of a model, or of all models: who did what to which version, when and why.

\b
Examples:
  nbmlops audit show
  nbmlops audit show churn --format json
"""


@click.command(name="show", help=HELP, short_help="Show who did what to which version, when and why.")
@click.argument("model", metavar="[MODEL]", default="")
@format_option
def command(model: str, output: str) -> int:
    """Shows the log; returns the exit code."""
    with redirect_stdout(stray_output()):
        audits = audit_models(model, Path.cwd())
    emit(output, lambda: audit_document(audits), lambda: audit_blocks(audits))
    return 0
