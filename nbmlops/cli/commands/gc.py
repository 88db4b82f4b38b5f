"""`nbmlops gc`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from nbmlops.app.gc import CONFIGURED, GcOutcome, collect_garbage, collect_store_garbage
from nbmlops.cli.blocks import Block, Line, Table, Tone, cells
from nbmlops.cli.options import emit, format_option
from nbmlops.core.diagnostics import Json

GC_SCHEMA = "nbmlops/gc/1"
HELP = """\
Show which stored results nothing needs any more; --yes removes them. Kept are the latest results of every step, those
of the newest runs and of runs whose model was registered, and whatever was written in the last hour. A pipeline that
is being run keeps everything. Executed notebooks in runs/ are not touched. What is gone is computed again when needed.

With --store the shared store is cleaned, not the project's own: kept are the latest results of every step, those that
were written or used in the last 30 days (--older-than, 2d at least), and of registered runs. Others may run meanwhile.

\b
Examples:
  nbmlops gc                     what would go, and how many bytes
  nbmlops gc --keep-runs 2 --yes
  nbmlops gc --older-than 30d --yes
  nbmlops gc --store             what would go of the store that nbmlops.toml names
  nbmlops gc --store s3://team-bucket/nbmlops --older-than 90d --yes
"""


@click.command(name="gc", help=HELP, short_help="Show, and remove, stored results that nothing needs.")
@click.option(
    "--keep-runs", type=click.IntRange(0), metavar="N", help="Keep the newest N runs of each pipeline.  [default: 5]"
)
@click.option(
    "--older-than", default="", metavar="AGE", help="Keep runs younger than 12h, 30d or 8w; with N those, too."
)
@click.option(
    "--store",
    is_flag=False,
    flag_value=CONFIGURED,
    default="",
    metavar="[URL]",
    help="Clean this shared store; without URL that of the configuration.",
)
@click.option("--yes", is_flag=True, help="Remove it.")
@format_option
def command(keep_runs: int | None, older_than: str, store: str, yes: bool, output: str) -> int:
    """Shows or removes; returns the exit code."""
    if store:
        outcome = collect_store_garbage(Path.cwd(), store, keep_runs, older_than, remove=yes)
    else:
        outcome = collect_garbage(Path.cwd(), keep_runs, older_than, remove=yes)
    emit(output, lambda: _document(outcome), lambda: _blocks(outcome))
    return 0


def _document(outcome: GcOutcome) -> dict[str, Json]:
    counts = outcome.garbage.counts()
    return {
        "schema": GC_SCHEMA,
        "removed": outcome.removed,
        "bytes": sum(size for _, size in counts.values()),
        "counts": [
            {"kind": why.name.lower(), "files": number, "bytes": size} for why, (number, size) in counts.items()
        ],
        "registered_runs": outcome.registered,
        "store": outcome.store,
        "busy": list(outcome.garbage.busy),
        "diagnostics": [],
    }


def _blocks(outcome: GcOutcome) -> Iterator[Block]:
    counts = {why: found for why, found in outcome.garbage.counts().items() if found[0]}
    title = "removed" if outcome.removed else "nothing needs these"
    title += f" in {outcome.store}" if outcome.store else ""
    rows = tuple(cells(why.value, str(number), sized(size)) for why, (number, size) in counts.items())
    if rows:
        yield Table(title, ("what", "files", "size"), rows, frozenset({"files", "size"}))
    for name in outcome.garbage.busy:
        yield Line(f"{name} is being run: everything of it is kept", Tone.WARNING)
    total = sized(sum(size for _, size in counts.values()))
    if not rows:
        yield Line("there is nothing to remove", Tone.GOOD)
    elif outcome.removed:
        yield Line(f"removed {total}", Tone.GOOD)
    else:
        yield Line(f"{total} can go; to remove it, call the same with --yes")


def sized(number: int) -> str:
    """Returns a number of bytes for people: "512 B", "1.5 MiB"."""
    power = min((number.bit_length() - 1) // 10, 4) if number else 0
    return f"{number / 1024**power:.1f} {('KiB', 'MiB', 'GiB', 'TiB')[power - 1]}" if power else f"{number} B"
