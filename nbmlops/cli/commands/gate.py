"""`nbmlops gate`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.gate import judge_again
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option
from nbmlops.cli.render_run import gate_blocks
from nbmlops.cli.run_documents import gate_document

HELP = """\
Judge a run again by the rules that nbmlops.toml has now, against the champion of now. TARGET is the id of an MLflow
run, a pipeline's folder or its name (its latest run). Without it: the only pipeline of the project. The verdict is
stored with the run.

\b
Examples:
  nbmlops gate
  nbmlops gate churn
  nbmlops gate 4f1c0a9d2b7e4c53a1d86e0f9b3c7a52

Exit code 3: the gate rejects the run.
"""


@click.command(name="gate", help=HELP, short_help="Judge a run again by the rules of nbmlops.toml.")
@click.argument("target", default="", metavar="[RUN|PIPELINE]")
@format_option
def command(target: str, output: str) -> int:
    """Judges; returns the exit code."""
    with redirect_stdout(stray_output()):
        outcome = judge_again(target, Path.cwd())
    emit(output, lambda: gate_document(outcome), lambda: gate_blocks(outcome))
    return int(outcome.exit_code)
