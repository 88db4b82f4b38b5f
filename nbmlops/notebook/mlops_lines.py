"""The one grammar of `%mlops` lines: text in, the Python call that it stands for out.

The magics evaluate that call, the compiler emits it, so both doors do the same (ADR 1). An expression runs to the next
` --option` that stands outside quotes and brackets, or to a comment; everything else is argparse's.
"""

from __future__ import annotations

import argparse
import functools
import re
import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NoReturn

from msgspec import Struct

from nbmlops.core.errors import UsageError
from nbmlops.notebook.mlops_subcommands import SUBCOMMANDS, Subcommand
from nbmlops.notebook.mlops_text import LineParts, split_line
from nbmlops.notebook.mlops_values import expression
from nbmlops.notebook.model import MagicAction

_NAMED = re.compile(r"""("[^"]*"|'[^']*'|[^\s=]+)\s*(?:=(?!=))?\s*(.*)""", re.DOTALL)
_HELP_WIDTH = 88
Options = Mapping[str, str | bool | list[str]]


class MlopsLine(Struct, frozen=True):
    """One `%mlops` line.

    Attributes:
        subcommand: Its first word.
        python: The call that it stands for; "" for those that are no part of a pipeline.
        options: What was given, by argument name, with its type; left-out options are left out.
        action: What compiling does with the line.
        help: The help text that `--help` (or an empty line) asks for; "" for every other line.
    """

    subcommand: str
    python: str
    options: Options
    action: MagicAction
    help: str = ""


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of ending the process, and that knows what was added to it."""

    def __init__(self, **settings: Any) -> None:
        self.option_names: set[str] = set()
        self.takes_words = False
        super().__init__(formatter_class=_formatter, allow_abbrev=False, **settings)
        self.color = False  # Python 3.14 colours help; front ends show it as text

    def add_argument(self, *names: str, **settings: Any) -> argparse.Action:
        """Adds an argument and remembers its kind."""
        self.option_names.update(name for name in names if name.startswith("-"))
        self.takes_words |= not names[0].startswith("-")
        return super().add_argument(*names, **settings)

    def error(self, message: str) -> NoReturn:
        """Raises what argparse would print before it ends the process.

        Raises:
            UsageError: always.
        """
        missing = message.removeprefix("the following arguments are required: ")
        text = f"{self.prog} lacks {missing}" if missing != message else f"{self.prog}: {message}"
        raise UsageError(text, _form(self))


def parse_line(text: str) -> MlopsLine:
    """Returns the meaning of what follows `%mlops`.

    Args:
        text: For example `data flights --name raw`; continuation lines joined.

    Raises:
        UsageError: the line does not follow the grammar; message and hint say how to write it.
    """
    parts = split_line(text)
    if parts.word in {"", "-h", "--help"}:
        return MlopsLine("", "", {}, MagicAction.DROP, help_text(""))
    parts = _two_words(parts)
    subcommand = _find(parts.word)
    parser = _parser_of(parts.word)
    if any(name in {"help", "h"} for name, _ in parts.options) or parts.head in {"-h", "--help"}:
        return MlopsLine(parts.word, "", {}, MagicAction.DROP, parser.format_help())
    arguments = _option_arguments(parser, subcommand, parts.options)
    if parts.head and not parser.takes_words:
        raise UsageError(
            f"{parser.prog} takes nothing after its name, but {parts.head!r} follows", f"write `{parser.prog}`"
        )
    if parts.head:
        arguments += ["--", *_words(parts.head, subcommand)]
    parsed = parser.parse_args(arguments)
    options = {name: value for name, value in vars(parsed).items() if value is not None and value is not False}
    return MlopsLine(parts.word, subcommand.to_python(parsed), options, subcommand.action)


def help_text(subcommand: str) -> str:
    """Returns what `%mlops SUBCOMMAND --help` shows, for "" the list of all subcommands.

    Raises:
        UsageError: there is no such subcommand.
    """
    if not subcommand:
        return build_parser().format_help()
    _find(subcommand)
    return _parser_of(subcommand).format_help()


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of all subcommands, for help and completion; `parse_line` is the way to read a line."""
    parser = _Parser(
        prog="%mlops",
        description="Tracks, checks, gates and registers from the notebook. `%mlops SUBCOMMAND --help` explains one.",
        add_help=False,
    )
    subparsers = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", dest="subcommand", required=True)
    for name, subcommand in SUBCOMMANDS.items():
        child = subparsers.add_parser(name, help=subcommand.purpose, **_texts(name, subcommand))
        subcommand.add_arguments(child)
    return parser


@functools.cache
def _parser_of(name: str) -> _Parser:
    """Returns the parser of one subcommand; making all of them for each line would cost most of reading a notebook."""
    subcommand = SUBCOMMANDS[name]
    parser = _Parser(**_texts(name, subcommand))
    subcommand.add_arguments(parser)
    return parser


def _texts(name: str, subcommand: Subcommand) -> dict[str, Any]:
    return {
        "prog": f"{'%%' if name == 'step' else '%'}mlops {name}",
        "description": f"{subcommand.purpose[0].upper()}{subcommand.purpose[1:]}.",
        "epilog": f"example:\n  {subcommand.example}",
    }


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, width=_HELP_WIDTH, max_help_position=28)


def _form(parser: argparse.ArgumentParser) -> str:
    usage = " ".join(parser.format_usage().split()).removeprefix("usage: ").replace(" [-h]", "")
    return f"the form is: {usage}"


def _find(word: str) -> Subcommand:
    if word in SUBCOMMANDS:
        return SUBCOMMANDS[word]
    if below := [name for name in SUBCOMMANDS if name.startswith(f"{word} ")]:
        raise UsageError(f"%mlops {word} lacks its second word", f"write one of: {', '.join(below)}")
    near = get_close_matches(word.lower(), SUBCOMMANDS, n=1)
    hint = f"did you mean `%mlops {near[0]}`?" if near else f"known are: {', '.join(SUBCOMMANDS)}"
    raise UsageError(f"%mlops has no subcommand {word!r}", hint)


def _option_arguments(parser: _Parser, subcommand: Subcommand, options: tuple[tuple[str, str], ...]) -> list[str]:
    known = parser.option_names
    arguments = []
    for name, value in options:
        option = f"-{name}" if len(name) == 1 else f"--{name}"
        if option not in known:
            near = get_close_matches(option, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else _form(parser)
            raise UsageError(f"{parser.prog} has no option {option!r}", hint)
        if name in subcommand.flags and value:
            raise UsageError(f"{parser.prog}: {option} takes no value, but {value!r} follows it", f"remove {value!r}")
        if name not in subcommand.flags and not value:
            raise UsageError(f"{parser.prog}: nothing follows {option}", _form(parser))
        arguments.append(f"{option}={value}" if value and len(name) > 1 else f"{option}{value}")
    return arguments


def _two_words(parts: LineParts) -> LineParts:
    """Returns the line with two words for its subcommand, such as `schema infer`.

    `data diff` is one if two more words behind it make no expression with it.
    """
    first, _, rest = parts.head.partition(" ")
    if parts.word not in SUBCOMMANDS and f"{parts.word} {first}" in SUBCOMMANDS:
        return LineParts(f"{parts.word} {first}", rest.strip(), parts.options)
    if parts.word != "data" or first != "diff":
        return parts
    if not rest.strip() and not any(name in {"help", "h"} for name, _ in parts.options):
        return parts  # a frame may be called so
    return LineParts("data diff", rest.strip(), parts.options) if not _is_expression(parts.head) or not rest else parts


def _is_expression(text: str) -> bool:
    try:
        expression(text)
    except UsageError:
        return False
    return True


def _words(head: str, subcommand: Subcommand) -> list[str]:
    if subcommand.several:
        try:
            return shlex.split(head)
        except ValueError as error:
            raise UsageError(f"{head!r} cannot be cut into words: {error}", "close every quote") from error
    return _name_and_expression(head) if subcommand.named else [head]


def _name_and_expression(head: str) -> list[str]:
    found = _NAMED.fullmatch(head)
    if found is None:
        return [head]
    name, expression = found.groups()
    return [name, expression] if expression else [name]
