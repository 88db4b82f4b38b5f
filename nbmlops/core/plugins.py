"""The one extension mechanism: objects found by name among the entry points of installed distributions."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import entry_points

from nbmlops.core.errors import UsageError


def plugin_names(group: str) -> tuple[str, ...]:
    """Returns the names registered under an entry-point group such as "nbmlops.targets", sorted."""
    return tuple(sorted({entry.name for entry in entry_points(group=group)}))


def load_plugin(group: str, name: str) -> object:
    """Returns the object that an installed distribution registered under `name`.

    Raises:
        UsageError: nothing has that name; the message lists what has, the hint the nearest.
    """
    for entry in entry_points(group=group, name=name):
        return entry.load()
    names = plugin_names(group)
    near = get_close_matches(name, names, n=1)
    raise UsageError(
        f"{name!r} is not known to {group}; known: {', '.join(names) or 'none'}",
        f"did you mean {near[0]!r}?" if near else "",
    )
