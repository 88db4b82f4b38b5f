"""Completion of `%mlops` lines: subcommands, their options, and the names of the notebook's variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nbmlops.ipython.subcommands import SUBCOMMANDS, find

_KEYS = ("%mlops", "%%mlops")


def candidates(line: str, symbol: str, names: Iterable[str]) -> list[str]:
    """Returns what may stand at the end of the line, in the order to show it.

    Args:
        line: The line up to the cursor, from `%mlops` on.
        symbol: The word being typed, "" after a space.
        names: The variables of the notebook.
    """
    words = line.split()
    before = words[1 : len(words) - 1 if symbol else len(words)]
    if words and words[0] == "%%mlops":
        found: Iterable[str] = () if before else ("step",)
    elif not before:
        found = (subcommand.name for subcommand in SUBCOMMANDS)
    else:
        found = _after(before, symbol, names)
    return [candidate for candidate in found if candidate.startswith(symbol)]


def _after(before: list[str], symbol: str, names: Iterable[str]) -> Iterable[str]:
    subcommand = find(" ".join(before[:2])) or find(before[0])
    if subcommand is None:
        below = [one.name.split() for one in SUBCOMMANDS if one.name.startswith(f"{before[0]} ")]
        return [words[1] for words in below] if len(before) == 1 else ()
    free = [option for option in (*subcommand.options, "--help") if option not in before]
    value_of = before[-1] if before[-1].startswith("--") else ""
    if symbol.startswith("-"):
        return free
    if value_of in {"--data", "--name", "--schema"} or (subcommand.takes_names and not value_of):
        return [*sorted(names), *free]
    return () if value_of else free


def register(shell: Any) -> None:
    """Adds the completer to the shell.

    Args:
        shell: IPython's `InteractiveShell`.
    """

    def complete(_shell: Any, event: Any) -> list[str]:
        return candidates(
            event.text_until_cursor.lstrip(), event.symbol, _variables(shell.user_ns, shell.user_ns_hidden)
        )

    for key in _KEYS:
        shell.set_hook("complete_command", complete, str_key=key)


def unregister(shell: Any) -> None:
    """Takes the completer out of the shell.

    Args:
        shell: IPython's `InteractiveShell`.
    """
    for key in _KEYS:
        shell.strdispatchers["complete_command"].strs.pop(key, None)


def _variables(namespace: Mapping[str, object], hidden: Mapping[str, object]) -> list[str]:
    return [name for name in namespace if not name.startswith("_") and name not in hidden]
