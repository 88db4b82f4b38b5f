"""Shell commands of a cell as calls of `nbmlops.shell`, with IPython's rules for `{expression}` and `$name` in them.

IPython evaluates these when the command runs, and leaves the whole command as it is if any of them fails. Which names
the notebook has is known here, so that the text is decided now: an f-string where nothing can fail, else the command
with a function that makes the text.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from nbmlops.core.syntax import parse, walk

_BUILTINS = frozenset(dir(builtins))
_SESSION = frozenset({"In", "Out", "_", "__", "___", "_ih", "_oh", "_dh", "_i", "_ii", "_iii", "_exit_code"})
_PLAIN = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant)


class ShellNames(Struct, frozen=True):
    """What the notebook's other code says about names, as far as shell commands ask.

    Attributes:
        bound: Names that any code of the notebook binds, arguments of functions included.
        unknown: Whether it may bind others, by a star import.
        exit_code: Whether it reads `_exit_code`.
    """

    bound: frozenset[str] = frozenset()
    unknown: bool = False
    exit_code: bool = False


class CannotExpand(Exception):
    """It cannot be told what IPython would make of a command; the text says why."""


class _Field(Struct, frozen=True):
    """An expression in a command, and how its value becomes text: "r", "s", "a" or ""."""

    value: ast.expr
    conversion: str


def shell_names(pythons: Iterable[str]) -> ShellNames:
    """Returns what shell commands need to know of a notebook, from its cells as Python."""
    bound: set[str] = set()
    unknown = exit_code = False
    for python in pythons:
        for node in walk(parse(python)):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                    bound.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    bound.add(name)
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    bound.add(name)
                case ast.MatchMapping(rest=str(name)):
                    bound.add(name)
                case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                    unknown = unknown or any(alias.name == "*" for alias in aliases)
                    bound |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
                case ast.Name(id="_exit_code"):
                    exit_code = True
                case _:
                    pass
    return ShellNames(frozenset(bound), unknown, exit_code)


def command_arguments(command: str, names: ShellNames) -> str:
    """Returns the arguments for a function of `nbmlops.shell` that expands a command: its text, or how to make it.

    Raises:
        CannotExpand: nobody can tell what IPython would make of it.
    """
    parts = _parts(command, names)
    if all(isinstance(part, str) for part in parts):
        return literal("".join(str(part) for part in parts))
    text = _formatted(parts)
    simple = all(isinstance(part, str) or isinstance(part.value, ast.Name | ast.Constant) for part in parts)
    return text if simple else f"{literal(command)}, lambda: {text}"


def literal(text: str) -> str:
    """Returns a text as Python on one line, in double quotes."""
    return f'"{_escaped(text)}"'


def multiline(text: str) -> str:
    r"""Returns a text as Python on as many lines as it has, the first of them empty: `\"\"\"\` and what follows."""
    if not text:
        return '""'
    body = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    body = "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in body)
    lines = body.split("\n")
    if lines and lines[-1] == "" and len(lines) > 1:
        lines[-2:] = [f"{lines[-2]}\\n"]
    if lines[-1].endswith('"'):
        lines[-1] = f'{lines[-1][:-1]}\\"'
    return '"""\\\n' + "\n".join(lines) + '"""'


def _escaped(text: str) -> str:
    return (
        text.encode("unicode_escape").decode("ascii").replace('"', '\\"')
        if not text.isprintable()
        else (text.replace("\\", "\\\\").replace('"', '\\"'))
    )


def _parts(command: str, names: ShellNames) -> Sequence[str | _Field]:
    """Returns the command in pieces; the whole of it as one text where IPython would leave it alone.

    Raises:
        CannotExpand: nobody can tell what IPython would make of it.
    """
    from IPython.utils.text import DollarFormatter

    parts: list[str | _Field] = []
    try:
        for text, name, spec, conversion in DollarFormatter().parse(command):
            if text:
                parts.append(text)
            if name is not None:
                parts.append(_Field(_expression(f"{name}:{spec}" if spec else name), _conversion(conversion)))
    except (ValueError, SyntaxError):
        return [command]
    missing = {name for part in parts if isinstance(part, _Field) for name in _free(part.value)}
    missing -= names.bound | _BUILTINS
    if missing & _SESSION:
        raise CannotExpand(f"'{min(missing & _SESSION)}' is kept by the session only")
    if missing and names.unknown:
        raise CannotExpand(f"'{min(missing)}' may come from a star import; name there what is used")
    return [command] if missing else parts


def _expression(text: str) -> ast.expr:
    return ast.parse(text.lstrip(" \t"), mode="eval").body


def _conversion(conversion: str | None) -> str:
    if conversion not in {None, "r", "s", "a"}:
        raise ValueError(f"unknown conversion {conversion}")
    return conversion or ""


def _free(node: ast.expr) -> set[str]:
    """Returns the names that an expression takes from outside.

    Raises:
        CannotExpand: it binds names, which IPython throws away.
    """
    nodes = list(walk(node))
    if any(isinstance(part, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom) for part in nodes):
        raise CannotExpand("an expression in it binds names or waits")
    own = {part.id for part in nodes if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    own |= {part.arg for part in nodes if isinstance(part, ast.arg)}
    return {part.id for part in nodes if isinstance(part, ast.Name)} - own


def _formatted(parts: Sequence[str | _Field]) -> str:
    """Returns an f-string, or a `join` where one cannot be written on this and every later version of Python."""
    pieces = [
        _escaped(part).replace("{", "{{").replace("}", "}}") if isinstance(part, str) else _braced(part)
        for part in parts
    ]
    text = f'f"{"".join(pieces)}"'
    fields = [part for part in parts if isinstance(part, _Field)]
    if not any(re.search(r'["\\\n#]', ast.unparse(part.value)) for part in fields):
        return text
    calls = {"": "format({})", "s": "format(str({}))", "r": "format(repr({}))", "a": "format(ascii({}))"}
    told = [
        literal(part) if isinstance(part, str) else calls[part.conversion].format(ast.unparse(part.value))
        for part in parts
    ]
    return f'"".join(({", ".join(told)},))'


def _braced(field: _Field) -> str:
    text = ast.unparse(field.value)
    inside = text if isinstance(field.value, _PLAIN) else f"({text})"
    return f"{{{inside}{'!' if field.conversion else ''}{field.conversion}}}"
