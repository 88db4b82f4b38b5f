"""`nbmlops register`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.versions.register import register_run
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option
from nbmlops.cli.render_run import register_blocks
from nbmlops.cli.run_documents import register_document

HELP = """\
Register the model of a run whose verdict passes: the first version of a name becomes champion, later ones challenger.
RUN is the id of an MLflow run, PIPELINE a folder or a name, whose latest run is meant. Registering the same run again
gives the same version.

\b
Examples:
  nbmlops register churn
  nbmlops register 4f1c0a9d2b7e4c53a1d86e0f9b3c7a52

Exit code 3: there is no passing verdict.
"""


@click.command(name="register", help=HELP, short_help="Register the model of a run whose verdict passes.")
@click.argument("target", default="", metavar="[RUN|PIPELINE]")
@format_option
def command(target: str, output: str) -> int:
    """Registers; returns the exit code."""
    with redirect_stdout(stray_output()):
        outcome = register_run(target, Path.cwd())
    emit(output, lambda: register_document(outcome), lambda: register_blocks(outcome))
    return 0
