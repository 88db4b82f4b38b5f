"""`nbmlops gate`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.judging.gate import judge_again
from nbmlops.cli.console import stray_output
from nbmlops.cli.gate_html import gate_html
from nbmlops.cli.gate_junit import junit as junit_document
from nbmlops.cli.options import emit, format_option
from nbmlops.cli.render_run import gate_blocks
from nbmlops.cli.run_documents import gate_document
from nbmlops.core.documents import append_text, write_atomically
from nbmlops.core.errors import UsageError
from nbmlops.gate.reports import verdict_to_markdown
from nbmlops.gate.verdict import Waiver

HELP = """\
Judge a run again by the rules that nbmlops.toml has now, against the champion of now. RUN is the id of an MLflow run,
PIPELINE a folder or a name, whose latest run is meant. Without either: the only pipeline of the project. The verdict
is stored with the run.

\b
Examples:
  nbmlops gate
  nbmlops gate churn --junit gate.xml --markdown "$GITHUB_STEP_SUMMARY" --html gate.html
  nbmlops gate 4f1c0a9d2b7e4c53a1d86e0f9b3c7a52
  nbmlops gate churn --waive "auc floor" --reason "holidays; see ticket 81" --by ada

A waived rule lets the run pass; verdict, report, run and version tell so for ever. Then: nbmlops register.

Exit code 3: the gate rejects the run.
"""


@click.command(name="gate", help=HELP, short_help="Judge a run again by the rules of nbmlops.toml.")
@click.argument("target", default="", metavar="[RUN|PIPELINE]")
@click.option("--waive", "waive", multiple=True, metavar="RULE", help="Let the run break this rule; repeatable.")
@click.option("--reason", default="", metavar="TEXT", help="Why it may; needed with --waive.")
@click.option("--by", "by", default="", metavar="NAME", help="Who answers for that; needed with --waive.")
@click.option("--junit", default="", metavar="FILE", help="Write the verdict as JUnit XML, which CI systems show.")
@click.option("--markdown", default="", metavar="FILE", help="Append it as Markdown, for pull requests and summaries.")
@click.option("--html", default="", metavar="FILE", help="Write a report with plots, in one file.")
@format_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    target: str, waive: tuple[str, ...], reason: str, by: str, junit: str, markdown: str, html: str, output: str
) -> int:
    """Judges; returns the exit code.

    Raises:
        UsageError: `--reason` or `--by` without a waiver.
    """
    if (reason or by) and not waive:
        raise UsageError("--reason and --by are about a waiver", "name the rule: --waive RULE")
    with redirect_stdout(stray_output()):
        outcome = judge_again(target, Path.cwd(), [Waiver(rule, reason, by) for rule in waive])
        if junit:
            write_atomically(Path(junit), junit_document(outcome))
        if markdown:
            append_text(Path(markdown), f"{verdict_to_markdown(outcome.verdict)}\n\n")
        if html:
            write_atomically(Path(html), gate_html(outcome).encode("utf-8", "backslashreplace"))
    emit(output, lambda: gate_document(outcome), lambda: gate_blocks(outcome))
    return int(outcome.exit_code)
