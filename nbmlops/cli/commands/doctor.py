"""`nbmlops doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from nbmlops.app.doctor import SCHEMA, Diagnosis, examine
from nbmlops.cli.options import emit, format_option
from nbmlops.cli.render import diagnosis_blocks
from nbmlops.core.diagnostics import Json

HELP = """\
Say what is installed, reachable and configured for the project in the current folder, and what to do about what is
not: Python, packages, kernel, git, disk, nbmlops.toml, the tracking store. Exits with 4 when something blocks.

\b
Example:
  nbmlops doctor
"""


@click.command(name="doctor", help=HELP, short_help="Say what is installed, reachable and configured.")
@format_option
def command(output: str) -> int:
    """Examines the project; returns the exit code."""
    diagnosis = examine(Path.cwd())
    emit(output, lambda: _document(diagnosis), lambda: diagnosis_blocks(diagnosis))
    return int(diagnosis.exit_code)


def _document(diagnosis: Diagnosis) -> dict[str, Json]:
    return {
        "schema": SCHEMA,
        "status": "blocked" if diagnosis.exit_code else "ok",
        "checks": [
            {"name": check.name, "status": check.status.value, "found": check.found, "advice": check.advice}
            for check in diagnosis.checks
        ],
    }
