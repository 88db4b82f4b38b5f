"""From the parameters cell to parameter declarations, with types and comments, or to faults.

A parameter is a line `name = value` with a value that a command line can give. Everything else in the cell is ordinary
code. It runs before the first step, over the parameters as they were given, so that what is derived from them follows.
"""

from __future__ import annotations

import ast
import io
import math
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import PurePosixPath

from msgspec import Struct

from nbmlops.analysis.model import ParameterDeclaration
from nbmlops.analysis.statements import Unit
from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.ir import ParameterType

_TYPES: dict[type, ParameterType] = {
    bool: ParameterType.BOOL,
    int: ParameterType.INT,
    float: ParameterType.FLOAT,
    str: ParameterType.STR,
    list: ParameterType.LIST,
    dict: ParameterType.DICT,
    type(None): ParameterType.NONE,
}
_ANNOTATIONS: dict[str, ParameterType] = {
    **{kind.value: kind for kind in ParameterType if kind is not ParameterType.NONE},
    "List": ParameterType.LIST,
    "Sequence": ParameterType.LIST,
    "Dict": ParameterType.DICT,
    "Mapping": ParameterType.DICT,
    "Path": ParameterType.PATH,
}
_MAKERS = {
    "datetime.date": ParameterType.DATE,
    "datetime.date.fromisoformat": ParameterType.DATE,
    "datetime.datetime": ParameterType.DATETIME,
    "datetime.datetime.fromisoformat": ParameterType.DATETIME,
    "pathlib.Path": ParameterType.PATH,
}


class ParameterFault(Struct, frozen=True):
    """Something in the parameters cell that cannot be a parameter: code of the rule, where, why, and the edit."""

    code: str
    node: ast.AST
    message: str
    hint: str


class Declared(Struct, frozen=True):
    """What the parameters cell declares.

    Attributes:
        parameters: In its order.
        faults: What looks like a parameter and cannot be one.
        others: Statements that are neither: ordinary code.
    """

    parameters: tuple[ParameterDeclaration, ...] = ()
    faults: tuple[ParameterFault, ...] = ()
    others: tuple[Unit, ...] = ()


class _Value(Struct, frozen=True):
    """The value of a parameter: its type, and as plain JSON."""

    kind: ParameterType
    default: Json


class _Annotated(Struct, frozen=True):
    """What an annotation asks for; no kind where it says nothing that can be checked."""

    kind: ParameterType | None = None
    choices: tuple[Json, ...] = ()


def declare_parameters(units: Sequence[Unit], paths: Mapping[str, str]) -> Declared:
    """Returns the parameters that the statements of the parameters cell declare, what is wrong, and the rest.

    Args:
        units: The statements.
        paths: Imported name -> dotted path, for values such as `date(2024, 1, 1)`.
    """
    found: dict[str, ParameterDeclaration] = {}
    faults: list[ParameterFault] = []
    others: list[Unit] = []
    comments = _comments(units[0].cell.python) if units else {}
    for unit in units:
        results = list(_declare(unit, comments, paths))
        if not results:
            others.append(unit)
        for result in results:
            if isinstance(result, ParameterFault):
                faults.append(result)
            elif result.name in found:
                hint = f"keep one of the two lines; the first is line {found[result.name].line}"
                faults.append(ParameterFault("NB304", unit.node, f"parameter '{result.name}' is set twice", hint))
            else:
                found[result.name] = result
    return Declared(tuple(found.values()), tuple(faults), tuple(others))


def _declare(
    unit: Unit, comments: dict[int, str], paths: Mapping[str, str]
) -> Iterator[ParameterDeclaration | ParameterFault]:
    match unit.node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield from _parameter(unit, name, value, None, comments, paths)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value, annotation=annotation):
            yield from _parameter(unit, name, value, annotation, comments, paths)
        case ast.AnnAssign(target=ast.Name(id=name), value=None, annotation=annotation):
            yield ParameterFault(
                "NB301", unit.node, f"parameter '{name}' has no value",
                f"write its default: `{name}: {ast.unparse(annotation)} = …`",
            )  # fmt: skip
        case ast.Assign(targets=targets, value=value) if _sets_several(targets, value, paths):
            yield ParameterFault(
                "NB301", unit.node, "the parameters cell sets several names in one statement",
                "write one line `name = value` for each parameter",
            )  # fmt: skip
        case _:
            return


def _sets_several(targets: Sequence[ast.expr], value: ast.expr, paths: Mapping[str, str]) -> bool:
    """Returns whether a statement gives values to several names at once, which hides that they are parameters."""
    if isinstance(targets[0], ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        return all(isinstance(_read(item, paths), _Value) for item in value.elts)
    return len(targets) > 1 and isinstance(_read(value, paths), _Value)


def _parameter(
    unit: Unit,
    name: str,
    value: ast.expr,
    annotation: ast.expr | None,
    comments: dict[int, str],
    paths: Mapping[str, str],
) -> Iterator[ParameterDeclaration | ParameterFault]:
    read = _read(value, paths)
    if read is None:
        return
    if name.startswith("__"):
        yield ParameterFault(
            "NB301", unit.node, f"'{name}' begins with two underscores, as names do that are Python's own",
            f"use another name, for example '{name.strip('_') or 'value'}'",
        )  # fmt: skip
        return
    if isinstance(read, str):
        message = f"parameter '{name}' {read}, which cannot be given on a command line or in a file"
        yield ParameterFault("NB302", value, message, _HINT)
        return
    asked = _annotated(annotation) if annotation is not None else _Annotated()
    if asked.kind is not None and not _fits(read, asked.kind):
        hint = f"write a value of type {asked.kind.value}, or change the annotation"
        message = f"parameter '{name}' is annotated as {asked.kind.value}, but its value is of type {read.kind.value}"
        yield ParameterFault("NB303", value, message, hint)
        return
    if asked.choices and read.default not in asked.choices and read.default is not None:
        shown = ", ".join(map(repr, asked.choices))
        message = f"parameter '{name}' is annotated as one of {shown}, but its value is {read.default!r}"
        yield ParameterFault("NB303", value, message, "write one of these values, or add it to the annotation")
        return
    last = unit.node.end_lineno or unit.first
    comment = comments.get(last) or comments.get(unit.first, "")
    kind = asked.kind or read.kind
    yield ParameterDeclaration(name, kind, read.default, comment, unit.cell.number, unit.first, asked.choices)


def _read(value: ast.expr, paths: Mapping[str, str]) -> _Value | str | None:
    """Returns the value of a parameter, or why it is none, or None for code that computes something."""
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _made(value, paths)
    if isinstance(literal, tuple | set | frozenset | bytes | complex):
        return None  # it has no form on a command line: an ordinary value of the notebook
    reason = _not_plain(literal)
    return reason or _Value(_TYPES[type(literal)], literal)


def _made(value: ast.expr, paths: Mapping[str, str]) -> _Value | None:
    """Returns a date, a time or a path that is made from literals."""
    if not isinstance(value, ast.Call):
        return None
    path = _dotted(value.func, paths)
    kind = _MAKERS.get(path)
    if kind is None:
        return None
    try:
        arguments = [ast.literal_eval(argument) for argument in value.args]
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in value.keywords}
        return _Value(kind, _plain_form(path, arguments, named))
    except (ValueError, TypeError, SyntaxError, OverflowError):
        return None


def _plain_form(path: str, arguments: list[object], named: dict[str, object]) -> str:
    """Returns what the call makes, as text: ISO 8601, or a path with `/`.

    Raises:
        TypeError: the arguments are others than the class takes.
        ValueError: they make nothing, or something that the text would not give back.
    """
    if path == "pathlib.Path":
        if named or not arguments or not all(isinstance(part, str) for part in arguments):
            raise TypeError(path)
        return PurePosixPath(*map(str, arguments)).as_posix()
    makers = {
        "datetime.date": date,
        "datetime.date.fromisoformat": date.fromisoformat,
        "datetime.datetime": datetime,
        "datetime.datetime.fromisoformat": datetime.fromisoformat,
    }
    made: date = makers[path](*arguments, **named)  # type: ignore[operator]  # a class or its constructor
    if getattr(made, "fold", 0):
        raise ValueError(path)
    return made.isoformat()


def _dotted(node: ast.expr, paths: Mapping[str, str]) -> str:
    if isinstance(node, ast.Name):
        return paths.get(node.id, "")
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value, paths)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


_HINT = "use numbers, text, True, False, None, lists, and dicts with text keys; build other values in the cell below"


def _not_plain(value: object) -> str:
    """Returns why a value is no plain JSON value, or ""."""
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number"
    if isinstance(value, str) and not _is_text(value):
        return "holds half a character"
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        return "has keys that are no text"
    parts = (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    reasons = [reason for part in parts if (reason := _not_plain(part))]
    return next(iter(reasons), "") if type(value) in _TYPES else f"holds a {type(value).__name__}"


def _is_text(value: str) -> bool:
    """Returns whether a text can be written to a file: half of a surrogate pair cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _annotated(annotation: ast.expr) -> _Annotated:
    """Returns the type and the values that an annotation asks for."""
    inner: ast.expr | None = None
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _Annotated(_ANNOTATIONS.get(name))
        case ast.Subscript(value=ast.Name(id="Literal") | ast.Attribute(attr="Literal"), slice=values):
            return _literal_choices(values)
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=of):
            inner = of
        case ast.Subscript(value=of) | ast.BinOp(left=of, op=ast.BitOr(), right=ast.Constant(value=None)):
            inner = of
        case ast.Constant(value=str(text)):
            inner = _parsed(text)
        case _:
            pass
    return _annotated(inner) if inner is not None else _Annotated()


def _literal_choices(values: ast.expr) -> _Annotated:
    """Returns the values of `Literal[...]`, if they are plain ones of one type."""
    nodes = values.elts if isinstance(values, ast.Tuple) else [values]
    try:
        choices = tuple(ast.literal_eval(node) for node in nodes)
    except (ValueError, TypeError, SyntaxError):
        return _Annotated()
    kinds = {_TYPES.get(type(choice)) for choice in choices if choice is not None}
    kind = kinds.pop() if len(kinds) == 1 else None
    return _Annotated(kind, tuple(choice for choice in choices if choice is not None)) if kind else _Annotated()


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _fits(value: _Value, kind: ParameterType) -> bool:
    if value.default is None or (kind is ParameterType.FLOAT and value.kind is ParameterType.INT):
        return True
    return value.kind is kind


def _comments(python: str) -> dict[int, str]:
    """Returns the comment of each line that has one behind code or alone, without its `#`."""
    tokens = tokenize.generate_tokens(io.StringIO(python).readline)
    return {
        token.start[0]: token.string.lstrip("#").strip()
        for token in tokens
        if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip()
    }
