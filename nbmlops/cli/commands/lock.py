"""`nbmlops lock`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from nbmlops.app.compiling.lock import LockOutcome, refresh_lock
from nbmlops.cli.blocks import Block, Line, Table, Tone, cells
from nbmlops.cli.documents import lock_document
from nbmlops.cli.options import emit, format_option

HELP = """\
Write the requirements.lock of a pipeline again: what the notebook's imports resolve to in this environment, with
everything that they require. TARGET is a notebook, a pipeline's folder or its name. `nbmlops compile` only reads the
lock (and makes the first one), so that compiling gives the same bytes everywhere.

\b
Examples:
  nbmlops lock churn.ipynb
  nbmlops lock pipelines/churn
"""


@click.command(name="lock", help=HELP, short_help="Refresh the requirements.lock of a pipeline.")
@click.argument("target")
@format_option
def command(target: str, output: str) -> int:
    """Refreshes the lock; returns the exit code."""
    outcome = refresh_lock(target, Path.cwd())
    emit(output, lambda: lock_document(outcome), lambda: _blocks(outcome))
    return 0


def _blocks(outcome: LockOutcome) -> Iterator[Block]:
    if outcome.changes:
        rows = tuple(cells(change.name, change.before or "-", change.after or "-") for change in outcome.changes)
        yield Table("changes", ("distribution", "before", "after"), rows)
    yield from (Line(f"note: {note}", Tone.WARNING) for note in outcome.notes)
    if outcome.changes:
        yield Line(f"wrote {outcome.path}", Tone.GOOD)
        yield Line(f"next: nbmlops compile {outcome.notebook}, which other generated files may need")
    else:
        yield Line(f"{outcome.path} is up to date", Tone.GOOD)
