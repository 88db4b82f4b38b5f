"""`nbmlops promote`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.versions.promote import promote_model
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option, reason_option
from nbmlops.cli.render_run import promote_blocks
from nbmlops.cli.run_documents import promote_document

HELP = """\
Make a model version the champion, which is what is live. The former champion is archived. MODEL is the name in the
registry, its challenger unless another version is named. Other stages: challenger, archived; production and staging are
other names of champion and challenger.

\b
Examples:
  nbmlops promote churn --reason "better on the held-out months"
  nbmlops promote churn/7 --reason "winter model" --expect 5
  nbmlops promote churn/6 --to archived --reason "trained on the wrong months"

Two at once: one wins, the other one ends with exit code 6 and the winner's name. With --expect it also ends so when the
champion has changed since you looked.
"""


@click.command(name="promote", help=HELP, short_help="Make a model version the champion.")
@click.argument("model", metavar="MODEL[@ALIAS|/VERSION]")
@click.option("--to", default="champion", show_default=True, metavar="STAGE", help="What it becomes.")
@click.option("--expect", default=None, metavar="VERSION", help="Only if this version is champion now.")
@reason_option
@format_option
def command(model: str, to: str, expect: str | None, reason: str, output: str) -> int:
    """Promotes; returns the exit code."""
    with redirect_stdout(stray_output()):
        outcome = promote_model(model, reason, Path.cwd(), to=to, expected=expect)
    emit(output, lambda: promote_document(outcome), lambda: promote_blocks(outcome))
    return 0
