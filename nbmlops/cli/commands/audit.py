"""`nbmlops audit`: a group; each of its commands has a module of its own."""

from __future__ import annotations

import click

from nbmlops.cli.lazy_group import LazyGroup

COMMANDS = {
    "show": "Show who did what to which version, when and why.",
    "verify": "Say whether a line was altered, removed or cut off.",
    "export": "Write the log as JSON lines or CSV.",
}
HELP = """\
The audit log of the registry: one line for each registration, promotion, rollback and archiving, chained by hashes. It
stands in the registry itself, so all clones of a project have the same one.

\b
Examples:
  nbmlops audit show churn
  nbmlops audit verify
  nbmlops audit export > audit.jsonl
  nbmlops audit verify --against audit.jsonl
"""


@click.group(cls=LazyGroup, name="audit", help=HELP, table=COMMANDS, prefix="audit_")
def command() -> None:
    """The group; see `HELP`."""
