"""What all commands share: the `--format` option, and handing a result to the right printer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, TypeVar

import click

from nbmlops.cli.blocks import Block
from nbmlops.cli.console import show, show_document

TEXT = "text"
JSON = "json"
# The values of `StepsFrom`, which is not imported here: this module is loaded for `--help`, too.
WAYS_TO_STEPS = ("inferred", "headings", "per-cell", "one")

_Function = TypeVar("_Function", bound=Callable[..., Any])


def format_option(function: _Function) -> _Function:
    """Adds `--format text|json` to a command, which gets it as `output`."""
    return click.option(
        "--format",
        "output",
        type=click.Choice([TEXT, JSON]),
        default=TEXT,
        show_default=True,
        help="text for people; json: one document on stdout, everything else on stderr.",
    )(function)


def steps_option(function: _Function) -> _Function:
    """Adds `--steps` to a command, which gets it as `steps`."""
    return click.option(
        "--steps",
        type=click.Choice(WAYS_TO_STEPS),
        default=None,
        callback=lambda _context, _parameter, value: value or "",
        help="Where steps come from; default: the notebook's tags, or inference where it has none.",
    )(function)


def emit(output: str, document: Callable[[], Mapping[str, Any]], blocks: Callable[[], Iterable[Block]]) -> None:
    """Prints a result as the user asked for it; only the form that is wanted is made."""
    if output == JSON:
        show_document(document())
    else:
        show(blocks())


def wants_json(arguments: Iterable[str]) -> bool:
    """Returns whether the arguments ask for JSON, also when they are otherwise not understood."""
    listed = list(arguments)
    return f"--format={JSON}" in listed or ("--format", JSON) in pairwise(listed)
