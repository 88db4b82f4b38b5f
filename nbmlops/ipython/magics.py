"""`%mlops` and `%%mlops step`: one line of the grammar becomes one call, evaluated where the line stands.

What a line means is decided in `nbmlops.notebook.mlops_lines`, which the compiler reads as well; results come back from
the Python API and show themselves.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from nbmlops.app.show.cards import Card, Table
from nbmlops.app.show.views import View
from nbmlops.core.errors import NbmlopsError, UsageError
from nbmlops.core.threads import own_work
from nbmlops.ipython.evaluate import evaluate_call, shorten
from nbmlops.ipython.subcommands import SUBCOMMANDS
from nbmlops.notebook.mlops_lines import MlopsLine, parse_line
from nbmlops.notebook.mlops_text import split_line

_NAME = "mlops"
_USE_CASES = frozenset(
    {
        "promote", "rollback", "audit", "reproduce", "inspect", "compile",
        "schema infer", "schema check", "schema diff",
    }
)  # fmt: skip


class SubcommandList(View):
    """What `%mlops` alone shows: every subcommand with an example."""

    __slots__ = ()

    def card(self) -> Card:
        """Returns one row for each subcommand."""
        rows = tuple((subcommand.example, subcommand.purpose) for subcommand in SUBCOMMANDS)
        note = "%mlops SUBCOMMAND --help explains one; %%mlops step NAME as first line of a cell marks its step"
        return Card(
            "%mlops",
            "tracks, checks, gates and registers",
            (Table("subcommands", ("example", "purpose"), rows),),
            (note,),
        )


class HelpText(View):
    """The help of one subcommand, as the parser gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def card(self) -> Card:
        """Returns the help line by line."""
        return Card("HELP", "", code=tuple(self._text.strip().splitlines()))

    def __repr__(self) -> str:
        return self._text.strip()


def run_line(line: str, namespace: dict[str, Any], local: Mapping[str, Any]) -> object:
    """Returns the result of one `%mlops` line; IPython shows it if the line is the last of its cell.

    Args:
        line: What follows `%mlops`.
        namespace: The notebook's globals.
        local: The locals around the line.

    Raises:
        UsageError: the line does not follow the grammar, or what it calls raises it.
        NameError: an expression of the user's raises it.
        AttributeError: likewise.
        TypeError: likewise.
    """
    __tracebackhide__ = True
    if not line.strip():
        return SubcommandList()
    parsed = _parsed(line)
    if parsed.help:
        return HelpText(parsed.help)
    if parsed.python:
        try:
            return evaluate_call(parsed.python, line.strip(), namespace, local)
        except (NameError, AttributeError, TypeError) as error:
            text = split_line(line).head
            if parsed.subcommand != "data" or not _is_path(text):
                raise
            raise UsageError(*_unquoted(text)) from error
    with own_work():  # the files that it reads are no inputs of the notebook's
        return _run_subcommand(parsed, line, namespace)


def _parsed(line: str) -> MlopsLine:
    try:
        return parse_line(line)
    except UsageError as error:
        parts = split_line(line)
        if parts.word != "data" or not _is_path(parts.head):
            raise
        raise UsageError(*_unquoted(parts.head)) from error


def _is_path(text: str) -> bool:
    return os.path.exists(text)  # noqa: PTH110 - it may be no path at all


def _unquoted(path: str) -> tuple[str, str]:
    return f"{path} is a file, but no Python", f"put it in quotes: %mlops data {json.dumps(path)} --name NAME"


def _run_subcommand(line: MlopsLine, text: str, namespace: dict[str, Any]) -> object:
    """Returns the result of a line that stands for no call.

    Raises:
        UsageError: `step` stands in the middle of a cell.
    """
    # It loads whatever a call may need, which loading the extension should not wait for.
    from nbmlops import api  # noqa: PLC0415  # as said above

    match line.subcommand:
        case "track":
            options: dict[str, Any] = dict(line.options)
            return api.track(**options)
        case "status":
            return api.status()
        case "card" | "data diff" | "diff" | "lineage" | "runs":
            from nbmlops.ipython.questions import answer  # noqa: PLC0415  # only who asks needs it

            return answer(line, namespace)
        case "panel":
            from nbmlops.ipython.panel import show_panel  # noqa: PLC0415  # likewise

            return show_panel()
        case "run":
            from IPython import get_ipython

            from nbmlops.ipython.run_command import run as run_pipeline  # noqa: PLC0415  # likewise

            return run_pipeline(line.options, namespace, get_ipython())
        case name if name in _USE_CASES:
            return _run_use_case(line, namespace)
        case _:
            raise UsageError("`%mlops step` marks a whole cell", f"write it as its first line: %%mlops {text.strip()}")


def _run_use_case(line: MlopsLine, namespace: dict[str, Any]) -> object:
    """Returns the result of a line that does what a command of the command line does."""
    if line.subcommand in {"inspect", "compile"}:
        from nbmlops.ipython import notebook_commands  # noqa: PLC0415  # loads analysis and compiler

        run = notebook_commands.inspect if line.subcommand == "inspect" else notebook_commands.compile_
        return run(line.options, namespace)
    if line.subcommand.startswith("schema "):
        from nbmlops.ipython.schema_commands import schema_command  # noqa: PLC0415  # likewise

        return schema_command(line, namespace)
    if line.subcommand == "reproduce":
        from nbmlops.ipython.reproduce_command import reproduce  # noqa: PLC0415  # loads what runs pipelines

        return reproduce(line.options)
    from nbmlops.ipython import registry_commands  # noqa: PLC0415  # likewise

    commands = {
        "promote": registry_commands.promote,
        "rollback": registry_commands.rollback,
        "audit": registry_commands.audit,
    }
    return commands[line.subcommand](line.options)


def register(shell: Any) -> None:
    """Adds `%mlops` and `%%mlops` to the shell.

    Args:
        shell: IPython's `InteractiveShell`.
    """
    from IPython.core.magic import needs_local_scope, no_var_expand

    def mlops(line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> object:
        __tracebackhide__ = True
        try:
            if cell is None:
                return run_line(line, shell.user_ns, shell.user_ns if local_ns is None else local_ns)
            _run_cell(shell, line, cell)
        except NbmlopsError as error:
            raise shorten(error) from error.__cause__
        return None

    mlops.__doc__ = f"Tracks, checks, gates and registers from this notebook.\n\n{SubcommandList()!r}"
    shell.register_magic_function(no_var_expand(needs_local_scope(mlops)), magic_kind="line_cell", magic_name=_NAME)
    shell.input_transformers_cleanup.extend((_step_as_comment, _with_tests))


def unregister(shell: Any) -> None:
    """Takes the magics out of the shell.

    Args:
        shell: IPython's `InteractiveShell`.
    """
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop(_NAME, None)
    for transformer in (_step_as_comment, _with_tests):
        if transformer in shell.input_transformers_cleanup:
            shell.input_transformers_cleanup.remove(transformer)


def _step_as_comment(lines: list[str]) -> list[str]:
    """Returns the cell with a valid `%%mlops step NAME` made a comment, so that its body runs as any other cell.

    That keeps everything that a cell magic would lose: line numbers, `await`, other magics, the displayed last
    expression, one traceback. An invalid line is left for the magic, which says what is wrong.
    """
    if not lines or lines[0].split()[:2] != ["%%mlops", "step"]:
        return lines
    try:
        parse_line(lines[0].split(None, 1)[1])
    except NbmlopsError:
        return lines
    return [f"# {lines[0]}", *lines[1:]]


def _with_tests(lines: list[str]) -> list[str]:
    """Returns the cell with one more line if it is tagged `test`: the call that runs the tests that it defines."""
    source = "".join(lines)
    module = sys.modules.get("nbmlops.app.session.current") if "def test_" in source else None
    session = module.current_session() if module is not None else None
    if session is None:
        return lines
    from nbmlops.app.session.tests import line_behind  # noqa: PLC0415  # few cells have tests

    line = line_behind(source.removesuffix("\n"), session.notebook_path)
    return [source.removesuffix("\n") + "\n", f"{line}\n"] if line else lines


def _run_cell(shell: Any, line: str, cell: str) -> None:
    """Runs the body of a cell that reached the magic itself: `run_cell_magic` in a script made from a notebook.

    Raises:
        UsageError: the line is not `step NAME`.
    """
    parsed = parse_line(line)
    if parsed.subcommand != "step":
        raise UsageError(f"%%mlops {parsed.subcommand} is no cell magic", f"write it as a line: %mlops {line.strip()}")
    shell.run_cell(cell).raise_error()
