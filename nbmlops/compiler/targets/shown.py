"""What files for engines in Python have in common: parameters as arguments of a function, and calls that add tasks.

Arguments have names that the function's own do not hide, and defaults that nothing expands: a text with two braces,
which engines take for a template, is shown with a space between them. Only values that differ from what is shown are
passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec import Struct

from nbmlops.compiler.layout import INDENT, bracketed
from nbmlops.compiler.names import fresh
from nbmlops.compiler.targets.deployment import Argument, Task
from nbmlops.compiler.targets.quoting import python
from nbmlops.core.diagnostics import Json


class Shown(Struct, frozen=True):
    """A parameter's name, the argument's name, its type and its default."""

    name: str
    alias: str
    kind: str
    shown: Json


def shown_arguments(arguments: Collection[Argument], taken: Collection[str]) -> tuple[Shown, ...]:
    """Returns the parameters as arguments.

    Args:
        arguments: The parameters.
        taken: Names that no argument may have.
    """
    found: list[Shown] = []
    for number, argument in enumerate(arguments, start=1):
        fits = argument.name.isascii() and argument.name[0].isalpha()
        used = {*taken, *(shown.alias for shown in found)}
        alias = fresh(argument.name if fits else f"parameter_{number}", used)
        found.append(Shown(argument.name, alias, argument.kind.value, _default(argument.default)))
    return tuple(found)


def add_calls(tasks: Iterable[Task], settings: Callable[[Task], Sequence[str]]) -> list[str]:
    """Returns the lines that add the tasks, each by its name, its command's options and the tasks that it needs.

    Args:
        tasks: The tasks.
        settings: Gives the further arguments of a task, as Python.
    """
    lines: list[str] = []
    for task in tasks:
        arguments = [python(task.name), python(task.engine_options)]
        arguments += [f"after={python(task.needs)}"] if task.needs else []
        lines += bracketed("add(", [*arguments, *settings(task)], ")", INDENT)
    return lines


def _default(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    while "{{" in value:
        value = value.replace("{{", "{ {")
    return value
