"""`nbmlops data`: a group; each of its commands has a module of its own."""

from __future__ import annotations

import click

from nbmlops.cli.lazy_group import LazyGroup

COMMANDS = {
    "add": "Keep this version of a file or folder: a DVC pointer beside it, its bytes in DVC's cache.",
}
HELP = """\
Keep versions of data files.

\b
Example:
  nbmlops data add data/flights.parquet
"""


@click.group(cls=LazyGroup, name="data", help=HELP, table=COMMANDS, prefix="data_")
def command() -> None:
    """The group; see `HELP`."""
