"""`nbmlops compile`."""

from __future__ import annotations

from pathlib import Path

import click

from nbmlops.app.compiling.compile import CompileMode, CompileRequest, compile_project
from nbmlops.cli.documents import compile_document
from nbmlops.cli.options import emit, format_option, steps_option
from nbmlops.cli.render import compile_blocks

HELP = """\
Write the pipeline of NOTEBOOK: a Python package with one module for each step, papermill step notebooks, a README, a
Dockerfile, a test, and the workflow for CI. The same notebook always gives the same bytes. Files that were edited by
hand are never overwritten silently.

\b
Examples:
  nbmlops compile churn.ipynb              write pipelines/churn/
  nbmlops compile churn.ipynb --check      fail (5) when what is on disk is stale; for CI
  nbmlops compile churn.ipynb --dry-run    show what would change
  nbmlops compile churn.ipynb --target github --target airflow
  nbmlops compile raw.ipynb --steps one    a notebook without tags as one step, not as inferred ones
"""


@click.command(name="compile", help=HELP, short_help="Write the pipeline of a notebook.")
@click.argument("notebook")
@click.option(
    "-o", "--out", default="", metavar="DIR", help="The pipeline's folder; default: pipelines/NAME at the root."
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 5 when the files on disk are stale.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would change.")
@click.option("--force", is_flag=True, help="Overwrite generated files that were edited by hand.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    help="Write it for a CI system or an engine, too; repeatable, and remembered. Default: github.",
)
@steps_option
@format_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    notebook: str, out: str, check: bool, dry_run: bool, force: bool, targets: tuple[str, ...], steps: str, output: str
) -> int:
    """Compiles; returns the exit code.

    Raises:
        click.UsageError: `--check` and `--dry-run` together.
    """
    if check and dry_run:
        raise click.UsageError("--check and --dry-run exclude each other: --check compares, --dry-run shows")
    mode = CompileMode.CHECK if check else CompileMode.DRY_RUN if dry_run else CompileMode.WRITE
    outcome = compile_project(CompileRequest(notebook, Path.cwd(), out, targets, mode, force, steps))
    emit(output, lambda: compile_document(outcome), lambda: compile_blocks(outcome))
    return int(outcome.exit_code)
