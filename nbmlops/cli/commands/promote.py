"""`nbmlops promote`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.promote import promote_model
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option
from nbmlops.cli.render_run import promote_blocks
from nbmlops.cli.run_documents import promote_document

HELP = """\
Make a model version the champion, which is what is live. The former champion is archived. MODEL is the name in the
registry, its challenger unless another version is named.

\b
Examples:
  nbmlops promote churn --reason "better on the held-out months"
  nbmlops promote churn@challenger
  nbmlops promote churn/7

Exit code 6: somebody else moved the alias meanwhile.
"""


@click.command(name="promote", help=HELP, short_help="Make a model version the champion.")
@click.argument("model", metavar="MODEL[@ALIAS|/VERSION]")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept with the version.")
@format_option
def command(model: str, reason: str, output: str) -> int:
    """Promotes; returns the exit code."""
    with redirect_stdout(stray_output()):
        outcome = promote_model(model, reason, Path.cwd())
    emit(output, lambda: promote_document(outcome), lambda: promote_blocks(outcome))
    return 0
