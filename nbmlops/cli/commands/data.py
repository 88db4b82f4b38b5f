"""`nbmlops data`: a group; each of its commands has a module of its own."""

from __future__ import annotations

import click

from nbmlops.cli.lazy_group import LazyGroup

COMMANDS = {
    "add": "Keep this version of a file or folder: a DVC pointer beside it, its bytes in DVC's cache.",
    "diff": "Show what changed between two versions: files, logged data, or two runs.",
}
HELP = """\
Keep versions of data files, and say what changed between two.

\b
Examples:
  nbmlops data add data/flights.parquet
  nbmlops data diff flights~1 flights
"""


@click.group(cls=LazyGroup, name="data", help=HELP, table=COMMANDS, prefix="data_")
def command() -> None:
    """The group; see `HELP`."""
