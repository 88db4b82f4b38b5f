"""`nbmlops schema`: a group; each of its commands has a module of its own."""

from __future__ import annotations

import click

from nbmlops.cli.lazy_group import LazyGroup

COMMANDS = {
    "infer": "Write the schema that a file of data keeps, to be reviewed and edited.",
    "check": "Say whether a file of data keeps a schema.",
    "diff": "Say what changed between two schemas, and whether it breaks data that passed.",
    "export": "Print a schema as an MLflow signature or as a pydantic model.",
}
HELP = """\
Schemas say what a frame must look like: YAML files in schemas/ that people edit, checked by `%mlops check` in notebooks
and steps.

\b
Examples:
  nbmlops schema infer data/flights.parquet
  nbmlops schema diff flights@main flights
"""


@click.group(cls=LazyGroup, name="schema", help=HELP, table=COMMANDS, prefix="schema_")
def command() -> None:
    """The group; see `HELP`."""
