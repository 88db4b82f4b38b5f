"""`nbmlops doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from nbmlops.app.doctor import examine
from nbmlops.cli.documents import doctor_document
from nbmlops.cli.options import emit, format_option
from nbmlops.cli.render_doctor import diagnosis_blocks

HELP = """\
Say what is installed, reachable and configured for the project in the current folder, and what to do about what is
not: Python, packages, kernel, git, disk, nbmlops.toml, the tracking store; runs that were killed, what waits to be
sent, leases that were left behind. Exits with 4 when something blocks.

\b
Example:
  nbmlops doctor
"""


@click.command(name="doctor", help=HELP, short_help="Say what is installed, reachable and configured.")
@format_option
def command(output: str) -> int:
    """Examines the project; returns the exit code."""
    diagnosis = examine(Path.cwd())
    emit(output, lambda: doctor_document(diagnosis), lambda: diagnosis_blocks(diagnosis))
    return int(diagnosis.exit_code)
