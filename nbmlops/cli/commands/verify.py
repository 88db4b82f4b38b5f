"""`nbmlops verify`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.verify.report import verification_to_json
from nbmlops.app.verify.verify import VerifyRequest, verify
from nbmlops.cli.commands.run import termination_as_exception
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option, steps_option
from nbmlops.cli.render_verify import verification_blocks
from nbmlops.cli.verify_html import html_report
from nbmlops.cli.verify_junit import junit as junit_document
from nbmlops.cli.verify_progress import verify_progress
from nbmlops.core.documents import write_atomically

HELP = """\
Prove that NOTEBOOK and the pipeline that it compiles to agree: both are run, the notebook in one fresh kernel, and
every value that steps hand over and everything that cells show is compared. The first difference of each step is told
as a person wants it: which columns and rows, which key, which slice. Nothing of the project is touched: all runs happen
in scratch copies of its folder, register nothing and track nothing.

\b
Examples:
  nbmlops verify churn.ipynb
  nbmlops verify churn.ipynb -p max_depth=8
  nbmlops verify churn.ipynb --format json > verify.json
  nbmlops verify churn.ipynb --junit verify.xml --html verify.html

All runs begin with the same state of the global random generators (NBMLOPS_RANDOM_SEED sets another one). When
something differs, the notebook runs a second time: what the notebook itself does not do twice the same way is
called nondeterministic, and is no fault of the pipeline. A value without a fingerprint is uncompared, never equal.

Exit codes: 0 they agree, as far as the notebook agrees with itself; 1 the notebook itself fails; 2 it cannot be
compiled; 5 they differ.
"""


@click.command(name="verify", help=HELP, short_help="Prove that notebook and pipeline agree.")
@click.argument("notebook")
@click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Set a parameter; repeatable."
)
@click.option("--once", is_flag=True, help="Do not run the notebook a second time when something differs.")
@click.option("--timeout", type=float, default=None, metavar="SECONDS", help="Time that a cell may take; default: any.")
@click.option("--junit", default="", metavar="FILE", help="Write the verdicts as JUnit XML, which CI systems show.")
@click.option("--html", default="", metavar="FILE", help="Write a report with the graph of the steps, in one file.")
@steps_option
@format_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    notebook: str,
    parameters: tuple[str, ...],
    once: bool,
    timeout: float | None,
    junit: str,
    html: str,
    steps: str,
    output: str,
) -> int:
    """Verifies; returns the exit code."""
    request = VerifyRequest(notebook, Path.cwd(), parameters, once, timeout, steps)
    with termination_as_exception(), verify_progress() as listener, redirect_stdout(stray_output()):
        found = verify(request, listener)
    if junit:
        write_atomically(Path(junit), junit_document(found))
    if html:
        write_atomically(Path(html), html_report(found).encode("utf-8", "backslashreplace"))
    emit(output, lambda: verification_to_json(found), lambda: verification_blocks(found))
    return int(found.exit_code)
