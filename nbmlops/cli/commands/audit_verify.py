"""`nbmlops audit verify`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.versions.audit import audit_models
from nbmlops.cli.audit_output import audit_document, verify_blocks
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option
from nbmlops.core.errors import ExitCode

HELP = """\
Say whether the audit log is whole: no line altered, removed, cut off or added beside the chain, and the aliases where
the log leads to. Against a file that was exported earlier, a log that was written anew as a whole is found out, too.

\b
Examples:
  nbmlops audit verify
  nbmlops audit verify churn --against audit.jsonl

Exit code 5: something is wrong.
"""


@click.command(name="verify", help=HELP, short_help="Say whether a line was altered, removed or cut off.")
@click.argument("model", metavar="[MODEL]", default="")
@click.option("--against", default="", metavar="FILE", help="JSON lines that were exported earlier.")
@format_option
def command(model: str, against: str, output: str) -> int:
    """Verifies the log; returns the exit code."""
    with redirect_stdout(stray_output()):
        audits = audit_models(model, Path.cwd(), against)
    emit(output, lambda: audit_document(audits), lambda: verify_blocks(audits))
    return int(ExitCode.COMPARISON_FAILED if any(audit.faults for audit in audits) else ExitCode.SUCCESS)
