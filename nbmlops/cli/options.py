"""What all commands share: the `--format` option, and handing a result to the right printer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import click

from nbmlops.cli.blocks import Block
from nbmlops.cli.console import show, show_document

TEXT = "text"
JSON = "json"
SARIF = "sarif"
# The values of `StepsFrom`, which is not imported here: this module is loaded for `--help`, too.
WAYS_TO_STEPS = ("inferred", "headings", "per-cell", "one")

_Function = TypeVar("_Function", bound=Callable[..., Any])


def format_option(function: _Function) -> _Function:
    """Adds `--format text|json` to a command, which gets it as `output`."""
    return _format_option([TEXT, JSON], "text for people; json: one document on stdout, everything else on stderr.")(
        function
    )


def sarif_format_option(function: _Function) -> _Function:
    """Adds `--format text|json|sarif` to a command, which gets it as `output`."""
    text = "text for people; json, or sarif for code hosts: one document on stdout, everything else on stderr."
    return _format_option([TEXT, JSON, SARIF], text)(function)


def _format_option(forms: Sequence[str], text: str) -> Callable[[_Function], _Function]:
    return click.option("--format", "output", type=click.Choice(forms), default=TEXT, show_default=True, help=text)


def reason_option(function: _Function) -> _Function:
    """Adds `--reason TEXT` to a command; on a terminal it is asked for."""
    return click.option(
        "--reason",
        default="",
        metavar="TEXT",
        callback=lambda _context, _parameter, value: value or _asked("Why? This is kept in the audit log"),
        help="Why; kept in the audit log and with the version. Asked for on a terminal.",
    )(function)


def _asked(question: str) -> str:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return ""
    return str(click.prompt(question, err=True))


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


def wants(form: str, arguments: Iterable[str]) -> bool:
    """Returns whether the arguments ask for a form of output, also when they are otherwise not understood."""
    listed = list(arguments)
    return f"--format={form}" in listed or ("--format", form) in pairwise(listed)
