"""`nbmlops sync`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from nbmlops.app.session.sync import SyncedRun, SyncState, sync_runs
from nbmlops.cli.blocks import Block, Line, Table, Tone, cells
from nbmlops.cli.options import emit, format_option
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import ExitCode

SYNC_SCHEMA = "nbmlops/sync/1"
HELP = """\
Send what tracked notebooks could not tell their store: it was away, or the kernel died. What cells log is kept in
.nbmlops/spool until the store has it; a notebook that runs sends it by itself as soon as the store is back. Everything
is sent in order and arrives once, also if sending is cut off. Exit code 4 when something is left.

\b
Examples:
  nbmlops sync
  MLFLOW_TRACKING_URI=http://tracking:5000 nbmlops sync
"""


@click.command(name="sync", help=HELP, short_help="Send what tracked notebooks could not tell their store.")
@format_option
def command(output: str) -> int:
    """Sends; returns the exit code."""
    runs = sync_runs(Path.cwd())
    emit(output, lambda: _document(runs), lambda: _blocks(runs))
    return int(ExitCode.ENVIRONMENT if any(run.state is SyncState.KEPT for run in runs) else ExitCode.SUCCESS)


def _document(runs: Sequence[SyncedRun]) -> dict[str, Json]:
    return {
        "schema": SYNC_SCHEMA,
        "runs": [
            {
                "key": run.key,
                "name": run.name,
                "state": run.state.value,
                "run_id": run.run_id,
                "sent": run.sent,
                "left": run.left,
                "faults": list(run.faults),
            }
            for run in runs
        ],
        "diagnostics": [],
    }


def _blocks(runs: Sequence[SyncedRun]) -> Iterator[Block]:
    if not runs:
        yield Line("nothing waits to be sent", Tone.GOOD)
        return
    rows = tuple(
        cells(run.name or run.key, run.state.value, str(run.sent), str(run.left), run.run_id or "-") for run in runs
    )
    yield Table("runs", ("run", "state", "sent", "left", "id"), rows, frozenset({"sent", "left"}))
    for run in runs:
        for fault in run.faults:
            yield Line(f"{run.name or run.key}: {fault}", Tone.WARNING)
