"""The one grammar of `%mlops` lines: text in, the Python call that it stands for out.

The magics evaluate that call, the compiler emits it, so both doors do the same (ADR 1). An expression runs to the next
` --option` that stands outside quotes and brackets, or to a comment; everything else is argparse's.
"""

from __future__ import annotations

import argparse
import ast
import functools
import json
import re
import shlex
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

from nbmlops.core.errors import UsageError
from nbmlops.notebook.mlops_text import split_line
from nbmlops.notebook.model import MagicAction

_NAME = re.compile(r"[^\W\d][\w.-]*")
_METRIC_NAME = re.compile(r"\w(?:[\w ./:-]*[\w])?")
_NAMED = re.compile(r"""("[^"]*"|'[^']*'|[^\s=]+)\s*(?:=(?!=))?\s*(.*)""", re.DOTALL)
_HELP_WIDTH = 88


@dataclass(frozen=True, slots=True)
class MlopsLine:
    """One `%mlops` line.

    Attributes:
        subcommand: Its first word.
        python: The call that it stands for; "" for step, track, status, panel, inspect and compile.
        options: What was given, by argument name, with its type; left-out options are left out.
        action: What compiling does with the line.
        help: The help text that `--help` (or an empty line) asks for; "" for every other line.
    """

    subcommand: str
    python: str
    options: Mapping[str, str | bool]
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


@dataclass(frozen=True, slots=True)
class _Subcommand:
    purpose: str
    example: str
    action: MagicAction
    add_arguments: Callable[[argparse.ArgumentParser], None]
    to_python: Callable[[argparse.Namespace], str]
    flags: frozenset[str] = frozenset()
    named: bool = False


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
        arguments += ["--", *(_name_and_expression(parts.head) if subcommand.named else [parts.head])]
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
    for name, subcommand in _SUBCOMMANDS.items():
        child = subparsers.add_parser(name, help=subcommand.purpose, **_texts(name, subcommand))
        subcommand.add_arguments(child)
    return parser


@functools.cache
def _parser_of(name: str) -> _Parser:
    """Returns the parser of one subcommand; making all of them for each line would cost most of reading a notebook."""
    subcommand = _SUBCOMMANDS[name]
    parser = _Parser(**_texts(name, subcommand))
    subcommand.add_arguments(parser)
    return parser


def _texts(name: str, subcommand: _Subcommand) -> dict[str, Any]:
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


def _find(word: str) -> _Subcommand:
    if word in _SUBCOMMANDS:
        return _SUBCOMMANDS[word]
    near = get_close_matches(word.lower(), _SUBCOMMANDS, n=1)
    hint = f"did you mean `%mlops {near[0]}`?" if near else f"known are: {', '.join(_SUBCOMMANDS)}"
    raise UsageError(f"%mlops has no subcommand {word!r}", hint)


def _option_arguments(parser: _Parser, subcommand: _Subcommand, options: tuple[tuple[str, str], ...]) -> list[str]:
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


def _name_and_expression(head: str) -> list[str]:
    found = _NAMED.fullmatch(head)
    if found is None:
        return [head]
    name, expression = found.groups()
    return [name, expression] if expression else [name]


# The types of arguments: each takes the text after the option and returns it, checked.


def _expression(text: str) -> str:
    """Returns the expression as one argument of a call, without a comment behind it: that would hide what follows.

    Raises:
        UsageError: it is no expression.
    """
    try:
        ast.parse(f"({text}\n)", mode="eval")
        bare = _without_comment(text)
        ast.parse(f"({bare})" if bare else "", mode="eval")  # as it will stand in a call; nothing is no expression
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        detail = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UsageError(
            f"{text!r} is not a Python expression: {detail}", "write one expression, as in a cell"
        ) from error
    try:
        call = ast.parse(f"f({bare})", mode="eval").body
    except SyntaxError:
        return f"({bare})"
    plain = isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords
    return bare if plain and not _needs_parentheses(call, bare) else f"({bare})"


def _without_comment(text: str) -> str:
    """Returns an expression without the comment at its end, if there is one."""
    lines = f"({text}".splitlines(keepends=True)
    for token in tokenize.generate_tokens(iter([*lines, "\n)"]).__next__):
        if token.type == tokenize.COMMENT and token.start[0] == len(lines):
            return "".join([*lines[:-1], lines[-1][: token.start[1]]])[1:].rstrip()
    return text


def _needs_parentheses(call: ast.expr, text: str) -> bool:
    argument = call.args[0] if isinstance(call, ast.Call) else call
    return isinstance(argument, ast.Starred) or (isinstance(argument, ast.GeneratorExp) and not text.startswith("("))


def _word(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r} has a quote that is not closed", "close the quote") from error
    if len(words) != 1:
        raise UsageError(f"{text!r} is more than one word", f'put it in quotes: "{text}"')
    return words[0]


def _plain_name(text: str) -> str:
    name = _word(text)
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not a name", "use letters, digits, `_`, `-` and `.`, beginning with a letter")
    return name


def _metric_name(text: str) -> str:
    name = _word(text)
    if not _METRIC_NAME.fullmatch(name) or any(part in {"", ".", ".."} for part in name.split("/")):
        raise UsageError(
            f"{name!r} cannot be the name of a metric or parameter",
            "use letters, digits, `_`, `-`, `.`, `:`, `/` and spaces, for example `auc/EWR`",
        )
    return name


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _name_of(expression: str, given: str | None, option: str, example: str) -> str:
    if given is not None:
        return given
    if expression.isidentifier():
        return expression
    raise UsageError(
        f"`{expression}` has no name of its own", f"give one: `%mlops {example} {expression} --{option} NAME`"
    )


# One pair of functions for each subcommand: its arguments, its call.


def _data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("value", metavar="EXPR", type=_expression, help="a frame, an array, or the path of a file")
    parser.add_argument("--name", type=_plain_name, help="the name to log it under (default: EXPR if it is a name)")
    parser.add_argument("--context", type=_word, help='what it is used for, for example "training"')


def _data(given: argparse.Namespace) -> str:
    name = _name_of(given.value, given.name, "name", "data")
    context = f", context={_quoted(given.context)}" if given.context else ""
    return f"nbmlops.data({given.value}, name={_quoted(name)}{context})"


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("value", metavar="EXPR", type=_expression, help="the frame to validate")
    parser.add_argument("--schema", type=_plain_name, help="the schema's name (default: EXPR if it is a name)")


def _check(given: argparse.Namespace) -> str:
    schema = _name_of(given.value, given.schema, "schema", "check")
    return f"nbmlops.check({given.value}, schema={_quoted(schema)})"


def _param_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=_metric_name, help="the parameter's name")
    parser.add_argument("value", metavar="EXPR", type=_expression, nargs="?", help="its value (default: NAME)")


def _metric_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=_metric_name, help="the metric's name")
    parser.add_argument("value", metavar="EXPR", type=_expression, nargs="?", help="its value (default: NAME)")
    parser.add_argument("--step", metavar="N", type=_expression, help="the epoch or round it belongs to")


def _logged(given: argparse.Namespace, function: str) -> str:
    value = given.value
    if value is None:
        if not given.name.isidentifier():
            raise UsageError(
                f"{given.name!r} is not a variable, so its value is missing",
                f'write it: `%mlops {function} "{given.name}" EXPR`',
            )
        value = given.name
    return f"nbmlops.{function}({_quoted(given.name)}, {value}"


def _param(given: argparse.Namespace) -> str:
    return f"{_logged(given, 'param')})"


def _metric(given: argparse.Namespace) -> str:
    step = f", step={given.step}" if given.step is not None else ""
    return f"{_logged(given, 'metric')}{step})"


def _register_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", type=_expression, help="the fitted model")
    parser.add_argument(
        "--data", metavar="FRAME", type=_expression, required=True, help="the frame of features it was trained on"
    )
    parser.add_argument("--name", type=_plain_name, help="the model's name in the registry (default: the notebook's)")


def _register(given: argparse.Namespace) -> str:
    name = f", name={_quoted(given.name)}" if given.name else ""
    return f"nbmlops.register({given.model}, data={given.data}{name})"


def _track_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--experiment", type=_word, help="the experiment (default: that of nbmlops.toml, or the notebook)"
    )
    parser.add_argument(
        "--notebook", metavar="PATH", type=_word, help="this notebook's file, where it cannot be found out"
    )
    parser.add_argument("--name", type=_word, help="a name for the run")
    parser.add_argument("--stop", action="store_true", help="end the run")


def _notebook_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--notebook", metavar="PATH", type=_word, help="the file (default: this notebook)")


def _compile_arguments(parser: argparse.ArgumentParser) -> None:
    _notebook_arguments(parser)
    parser.add_argument("-o", "--out", metavar="DIR", type=_word, help="the pipeline's folder")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when what is on disk is stale")
    parser.add_argument("--force", action="store_true", help="overwrite generated files that were edited by hand")


def _step_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=_word, help="the step that this cell belongs to")


def _no_arguments(_parser: argparse.ArgumentParser) -> None:
    """Adds nothing: the subcommand takes no arguments."""


def _gate(_given: argparse.Namespace) -> str:
    return "nbmlops.gate()"


def _no_call(_given: argparse.Namespace) -> str:
    return ""


_DROP, _CALL = MagicAction.DROP, MagicAction.CALL
_SUBCOMMANDS: Mapping[str, _Subcommand] = {
    "track": _Subcommand(
        "start or resume the tracked run of this notebook",
        "%mlops track --experiment flights",
        _DROP,
        _track_arguments,
        _no_call,
        frozenset({"stop"}),
    ),
    "data": _Subcommand(
        "fingerprint a frame or a file and log it as an input of the run",
        "%mlops data flights --name raw_flights --context training",
        _CALL,
        _data_arguments,
        _data,
    ),
    "check": _Subcommand(
        "validate a frame against a stored schema",
        "%mlops check flights --schema flights",
        _CALL,
        _check_arguments,
        _check,
    ),
    "param": _Subcommand(
        "log a parameter", "%mlops param n_features len(features)", _CALL, _param_arguments, _param, named=True
    ),
    "metric": _Subcommand(
        "log a metric",
        "%mlops metric auc = roc_auc_score(y_test, scores)",
        _CALL,
        _metric_arguments,
        _metric,
        named=True,
    ),
    "gate": _Subcommand(
        "judge the run by the rules of nbmlops.toml", "%mlops gate", MagicAction.GATE, _no_arguments, _gate
    ),
    "register": _Subcommand(
        "register the model, if the gate passed",
        "%mlops register model --data X_train",
        MagicAction.REGISTER,
        _register_arguments,
        _register,
    ),
    "status": _Subcommand(
        "show what this run has recorded, and where", "%mlops status", _DROP, _no_arguments, _no_call
    ),
    "panel": _Subcommand("show the run as a live panel", "%mlops panel", _DROP, _no_arguments, _no_call),
    "inspect": _Subcommand(
        "show steps, dataflow and problems of this notebook", "%mlops inspect", _DROP, _notebook_arguments, _no_call
    ),
    "compile": _Subcommand(
        "write the pipeline of this notebook",
        "%mlops compile",
        _DROP,
        _compile_arguments,
        _no_call,
        frozenset({"check", "force"}),
    ),
    "step": _Subcommand(
        "mark the step of a cell, as its first line",
        "%%mlops step train",
        MagicAction.UNWRAP,
        _step_arguments,
        _no_call,
    ),
}
SUBCOMMANDS: tuple[str, ...] = tuple(_SUBCOMMANDS)
