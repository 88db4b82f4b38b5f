"""`nbmlops reproduce`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.versions.reproduce import ReproduceRequest, reproduce
from nbmlops.cli.blocks import Line, Tone
from nbmlops.cli.console import show, stray_output
from nbmlops.cli.options import emit, format_option
from nbmlops.cli.reproduce_output import reproduce_blocks, reproduce_document
from nbmlops.core.errors import ExitCode

HELP = """\
Make a model version again from what it remembers, and compare. The commit is checked out in a folder of its own, data
that it does not hold is taken from where the run had it or from DVC's cache and checked, the libraries of the lock are
installed where those here differ, the pipeline runs with a store of its own. Nothing of the project is changed.

\b
Examples:
  nbmlops reproduce churn
  nbmlops reproduce churn/7 --here

Exit code 5: something is different; the differences are shown.
"""


@click.command(name="reproduce", help=HELP, short_help="Make a model version again, and compare.")
@click.argument("model", metavar="MODEL[@ALIAS|/VERSION]")
@click.option("--here", is_flag=True, help="Use the libraries that are here, and say how they differ.")
@click.option("--keep", is_flag=True, help="Leave the folder with the commit and the new run.")
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Give a secret one again.")
@format_option
def command(model: str, here: bool, keep: bool, parameters: tuple[str, ...], output: str) -> int:
    """Reproduces; returns the exit code."""
    request = ReproduceRequest(model, Path.cwd(), here=here, keep=keep, parameters=parameters)
    with redirect_stdout(stray_output()):
        outcome = reproduce(request, lambda text: show((Line(text, Tone.DIM),), stderr=True))
    emit(output, lambda: reproduce_document(outcome), lambda: reproduce_blocks(outcome))
    return int(ExitCode.SUCCESS if outcome.is_equal else ExitCode.COMPARISON_FAILED)
