"""`nbmlops rollback`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.versions.promote import rollback_model
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option, reason_option
from nbmlops.cli.render_run import promote_blocks
from nbmlops.cli.run_documents import promote_document

HELP = """\
Make the former champion of a model champion again. The one that it takes over from is archived. Once more, and the
champion before that one comes back. Nothing is moved when the stored model of that version is gone.

\b
Examples:
  nbmlops rollback churn --reason "wrong predictions since noon"
  nbmlops rollback churn --to 5 --reason "the last one before the new feed"
"""


@click.command(name="rollback", help=HELP, short_help="Make the former champion champion again.")
@click.argument("model", metavar="MODEL")
@click.option("--to", default="", metavar="VERSION", help="An earlier champion; default: the one before this one.")
@reason_option
@format_option
def command(model: str, to: str, reason: str, output: str) -> int:
    """Rolls back; returns the exit code."""
    with redirect_stdout(stray_output()):
        outcome = rollback_model(model, reason, Path.cwd(), to=to)
    emit(output, lambda: promote_document(outcome), lambda: promote_blocks(outcome))
    return 0
