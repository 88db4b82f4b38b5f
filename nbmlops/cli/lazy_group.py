"""Groups of commands that are imported when they are called, so that `--help` costs no imports."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called.

    Args:
        attributes: What `click.Group` takes.
        table: Name -> what the overview says of it. The module `nbmlops.cli.commands.<prefix>NAME` is imported when
            the command is called.
        prefix: How the modules' names begin.
    """

    def __init__(self, *, table: Mapping[str, str], prefix: str = "", **attributes: Any) -> None:
        super().__init__(**attributes)
        self.table = table
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Returns the names in the order in which a user meets them."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Returns the subcommand, imported now, or None."""
        if cmd_name not in self.table:
            return None
        command = importlib.import_module(f"nbmlops.cli.commands.{self._prefix}{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the subcommand that the arguments name.

        Raises:
            click.UsageError: there is none of that name; the message has the nearest one.
        """
        name = args[0]
        if name not in self.table and not name.startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415  # a tenth of `--help`; only mistakes need it

            near = get_close_matches(name, self.table, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Commands: {', '.join(self.table)}."
            raise click.UsageError(f"there is no command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Writes the overview from the table, without importing any subcommand."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.table.items()))
