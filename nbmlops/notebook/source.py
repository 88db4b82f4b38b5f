"""Turns a cell's source into plain Python, line for line, by IPython's own transformers.

Line n of the Python is line n of the cell: what is dropped leaves an empty line, what is replaced stays on its line.
So positions in tracebacks, syntax trees and diagnostics are positions in the notebook.
"""

from __future__ import annotations

import ast
import inspect
import re
import warnings
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.core.syntax import parse, walk
from nbmlops.notebook.codes import Fault
from nbmlops.notebook.decisions import Decision, Refusal
from nbmlops.notebook.magics import decide_cell, decide_line, decide_shell
from nbmlops.notebook.model import Magic, MagicAction
from nbmlops.notebook.shell_lines import ShellNames
from nbmlops.notebook.shell_magics import SCRIPTS, decide_script
from nbmlops.notebook.timing_magics import TIMES, decide_timeit_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

# IPython's own limit on the pieces of syntax in one cell.
_MOST_PIECES = 500
_PROMPT = re.compile(r"\s*(?:>>>|In \[\d+\]: )")
_CELL_MAGIC = re.compile(r"%%(\S+)[ \t]*(.*)")
_CALL = "get_ipython()."
_STAGES = frozenset({MagicAction.GATE, MagicAction.REGISTER})
_SYNTAX_HINT = "mend the line, or tag the cell `skip` if it does not belong to the pipeline"


class Translation(Struct, frozen=True):
    """A cell as Python: `python` has as many lines as the source and is valid, or empty lines if it could not be."""

    python: str
    magics: tuple[Magic, ...] = ()
    faults: tuple[Fault, ...] = ()
    step: str | None = None
    step_line: int = 0


class _Work(Struct):
    """The cell while it is translated."""

    original: list[str]
    lines: list[str]
    names: ShellNames
    magics: list[Magic] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    step: str | None = None
    step_line: int = 0

    def refuse(self, refusal: Refusal, line: int) -> None:
        """Notes a refusal for a line of the original."""
        text = self.original[line - 1]
        col = len(text) - len(text.lstrip()) + 1
        self.faults.append(
            Fault(refusal.code, refusal.message, refusal.hint, 0, line, col, line, max(len(text.rstrip()), col) + 1)
        )

    def note_command(self, line: int) -> None:
        """Notes what a command that runs in the pipeline costs."""
        self.faults.append(
            Fault(
                "NB126",
                "this runs another program, so that its step is never taken from the cache",
                "do it in Python, for example with pathlib or shutil, if the step takes long",
                0,
                line,
            )
        )


def translate(source: str, names: ShellNames = ShellNames(), cell: int = 0) -> Translation:  # noqa: B008 - frozen
    r"""Returns the cell as Python, with the magics that it holds and everything that is wrong with it.

    Args:
        source: The cell's text with `\n` line ends.
        names: What the rest of the notebook says about names in shell commands.
        cell: Its number, by which analysis finds the tree again.
    """
    original = source.split("\n")
    tree = _parse(source, cell)
    if isinstance(tree, ast.Module) and not _PROMPT.match(source):
        return _checked(Translation(source), tree, original)
    work = _Work(original, list(original), names)
    replaced = None
    if _unwrap_cell_magics(work):
        _clean(work)
        replaced = _replace_pieces(work, cell)
    python = "\n".join(work.lines)
    translation = Translation(
        python, tuple(sorted(work.magics, key=lambda magic: magic.line)), tuple(work.faults), work.step, work.step_line
    )
    return _checked(translation, replaced or _parse(python, cell), original)


def _parse(python: str, cell: int) -> ast.Module | SyntaxError:
    """Returns the tree, or what is wrong; also what only the compiler proper notices, such as `return` outside."""
    try:
        if "\0" in python:
            return SyntaxError(
                "it holds a null byte", ("<cell>", python.count("\n", 0, python.index("\0")) + 1, 0, None)
            )
        tree = parse(python, cell)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error) or f"too deeply nested for Python ({type(error).__name__})")
    return tree


def _checked(translation: Translation, tree: ast.Module | SyntaxError, original: list[str]) -> Translation:
    """Returns the translation with its syntax checked: a refused cell becomes empty lines."""
    if isinstance(tree, ast.Module):
        if "_exit_code" in translation.python and (lost := _local_exit_code(tree)):
            fault = Fault(
                "NB113",
                "the exit code of a command inside a function is read from outside, where a pipeline has no such name",
                "write `lines = !command` there, or run the command outside of the function",
                0, lost,
            )  # fmt: skip
            return replace(translation, faults=(*translation.faults, fault))
        return translation
    fault = _syntax_fault(tree, translation.python.split("\n"), original)
    blank = "\n" * translation.python.count("\n")
    return Translation(blank, translation.magics, (*translation.faults, fault), translation.step, translation.step_line)


def _local_exit_code(tree: ast.Module) -> int:
    """Returns the first line where a function runs a command whose exit code IPython keeps as a global, or 0."""
    functions = [node for node in walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    stores = [
        node.lineno
        for function in functions
        for node in walk(function)
        if isinstance(node, ast.Name) and node.id == "_exit_code" and isinstance(node.ctx, ast.Store)
    ]
    return min(stores, default=0)


def _syntax_fault(error: SyntaxError, python: list[str], original: list[str]) -> Fault:
    line = min(max(error.lineno or 0, 0), len(original))
    col = end_col = 0
    if line and python[line - 1] == original[line - 1]:
        col = min(error.offset or 0, len(original[line - 1]) + 1)
        same_line = (error.end_lineno or line) == line
        end_col = max(error.end_offset or 0, 0) if same_line else 0
    return Fault(
        "NB110", f"the cell is not valid Python: {error.msg}", _SYNTAX_HINT, 0, line, max(col, 0), line, end_col
    )


def _unwrap_cell_magics(work: _Work) -> bool:
    """Takes `%%` lines off the top; returns whether a body is left that is Python."""
    for index, line in enumerate(work.lines):
        if not line.strip():
            continue
        found = _CELL_MAGIC.match(line)
        if found is None:
            return True
        name, rest = found.group(1), found.group(2).strip()
        if name in SCRIPTS:
            _replace_cell(work, index, name, rest)
            return False
        if name == "timeit":
            _time_cell(work, index, rest)
            return True
        decision = decide_cell(name, rest)
        if isinstance(decision, Refusal):
            work.refuse(decision, index + 1)
            work.lines = [""] * len(work.lines)
            return False
        work.magics.append(Magic(index + 1, line.strip(), decision.action, decision.reason))
        work.lines[index] = ""
        if name == "mlops":
            work.step, work.step_line = decision.python, index + 1
        if name == "capture":
            work.faults.append(
                Fault(
                    "NB116", "what this cell prints and shows is shown by its step", "remove `%%capture`", 0, index + 1
                )
            )
    return True


def _time_cell(work: _Work, index: int, rest: str) -> None:
    """Puts a call around the expression of a `%%timeit` cell, which begins at the line of this index."""
    body = decide_timeit_cell(rest, "\n".join(work.lines[index + 1 :]))
    if isinstance(body, Refusal):
        work.refuse(body, index + 1)
        work.lines = [""] * len(work.lines)
        return
    magic = work.lines[index].strip()
    work.magics.append(Magic(index + 1, magic, MagicAction.CALL, TIMES))
    work.lines[index:] = ["", *body.split("\n")]


def _replace_cell(work: _Work, index: int, name: str, rest: str) -> None:
    """Puts a call in the place of a cell for another program, which begins at the line of this index."""
    body = "\n".join(work.lines[index + 1 :])
    decision = decide_script(name, rest, f"{body}\n" if body and not body.endswith("\n") else body, work.names)
    if isinstance(decision, Refusal):
        work.refuse(decision, index + 1)
        work.lines = [""] * len(work.lines)
        return
    work.magics.append(Magic(index + 1, work.lines[index].strip(), decision.action, decision.reason, decision.python))
    if decision.unseen:
        work.note_command(index + 1)
    lines = decision.python.split("\n")
    work.lines[index:] = lines + [""] * (len(work.lines) - index - len(lines))


def _clean(work: _Work) -> None:
    """Takes common indentation and prompts off, as IPython does when it runs a cell."""
    from IPython.core.inputtransformer2 import classic_prompt, ipython_prompt, leading_indent

    blank = next((index for index, line in enumerate(work.lines) if line.strip()), 0)
    cleaned = [f"{line}\n" for line in work.lines[blank:]]
    for transform in (leading_indent, classic_prompt, ipython_prompt):
        cleaned = transform(cleaned)
    # IPython splits at form feeds as well; a line of the cell ends at a line feed only.
    work.lines = [""] * blank + "".join(cleaned).removesuffix("\n").split("\n")


def _replace_pieces(work: _Work, cell: int) -> ast.Module | None:
    """Replaces one piece of IPython syntax after the other, from the top; returns the tree once it is Python."""
    from IPython.core.inputtransformer2 import TransformerManager, make_tokens_by_line

    transformers = TransformerManager().token_transformers
    for _ in range(_MOST_PIECES):
        lines = [f"{line}\n" for line in work.lines]
        try:
            tokens = make_tokens_by_line(lines)
        except SyntaxError:  # tabs and spaces mixed, say: parsing the cell will tell
            return None
        if not _replace_first(work, lines, [found for kind in transformers if (found := kind.find(tokens))]):
            return None
        tree = _parse("\n".join(work.lines), cell)
        if isinstance(tree, ast.Module):  # much faster than to look for pieces once more
            return tree
    work.faults.append(
        Fault(
            "NB118", f"more than {_MOST_PIECES} magics and shell lines in one cell", "split the cell, or write Python"
        )
    )
    work.lines = [""] * len(work.lines)
    return None


def _replace_first(work: _Work, lines: list[str], candidates: Sequence[Any]) -> bool:
    for transformer in sorted(candidates, key=lambda candidate: candidate.sortby()):
        try:
            changed = transformer.transform(lines)
        except SyntaxError:
            continue
        start = transformer.start_line
        count = len(lines) - len(changed) + 1
        work.lines[start : start + count] = [_replacement(work, changed[start], start, count)] + [""] * (count - 1)
        return True
    return False


def _replacement(work: _Work, transformed: str, start: int, count: int) -> str:
    """Returns the line that stands for one piece of IPython syntax, which IPython would run as `transformed`."""
    text = "\n".join(work.original[start : start + count]).strip()
    before, call, _ = transformed.partition(_CALL)
    if not call:
        work.magics.append(
            Magic(start + 1, text, MagicAction.UNWRAP, "is a call written the short way", transformed.strip())
        )
        return transformed.rstrip("\n")
    target = before.strip()
    decision = _decide(transformed[len(before) :].strip(), before, work.names)
    if isinstance(decision, Refusal):
        work.refuse(decision, start + 1)
        return f"{before}None" if target else _nothing(before)
    work.magics.append(Magic(start + 1, text, decision.action, decision.reason, decision.python))
    if decision.unseen:
        work.note_command(start + 1)
    if decision.python and decision.action not in _STAGES:
        return f"{before}{decision.python}"
    return f"{before}None" if target else _nothing(before)


def _nothing(indent: str) -> str:
    return f"{indent}pass" if indent else ""


def _decide(call: str, before: str, names: ShellNames) -> Decision | Refusal:
    """Returns the decision for a call such as `get_ipython().run_line_magic('time', 'f(x)')` that follows `before`."""
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Attribute)
    method, arguments = node.func.attr, [ast.literal_eval(argument) for argument in node.args]
    if method in {"system", "getoutput"}:
        return _in_context(decide_shell(arguments[0], names, keeps=method == "getoutput"), before)
    if method == "show_usage":
        return Decision(MagicAction.DROP, "only shows IPython's help")
    name, line = arguments[0], inspect.cleandoc(arguments[1])
    if name.startswith("%"):
        return Refusal("NB115", f"%{name} stands below the first line of the cell", f"move `%{name}` to the first line")
    return _in_context(decide_line(name, line, names), before)


def _in_context(decision: Decision | Refusal, before: str) -> Decision | Refusal:
    """Returns the decision for a magic that stands in a block or whose result is given to a variable."""
    if isinstance(decision, Refusal) or not before:
        return decision
    variable = before.strip().removesuffix("=").strip()
    if decision.action in _STAGES:
        where = f"its result is given to `{variable}`" if variable else "it stands inside a block"
        return Refusal(
            "NB121",
            f"a stage of the pipeline must be a line by itself, but {where}",
            "write the line alone, without indentation: the stage runs once, after the last step",
        )
    if not variable or decision.action in {MagicAction.CALL, MagicAction.UNWRAP, MagicAction.SHELL}:
        return decision
    return Refusal(
        "NB112",
        f"the result of a magic is given to `{variable}`, but a pipeline runs without it",
        "compute it in Python",
    )
