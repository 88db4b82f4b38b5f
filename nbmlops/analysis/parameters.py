"""From the parameters cell to parameter declarations, with types and comments, or to faults."""

from __future__ import annotations

import ast
import io
import math
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
    **{kind.value: kind for kind in _TYPES.values() if kind is not ParameterType.NONE},
    "List": ParameterType.LIST,
    "Sequence": ParameterType.LIST,
    "Dict": ParameterType.DICT,
    "Mapping": ParameterType.DICT,
}


@dataclass(frozen=True, slots=True)
class ParameterFault:
    """Something in the parameters cell that cannot be a parameter: code of the rule, where, why, and the edit."""

    code: str
    node: ast.AST
    message: str
    hint: str


def declare_parameters(units: Sequence[Unit]) -> tuple[tuple[ParameterDeclaration, ...], tuple[ParameterFault, ...]]:
    """Returns the parameters that the statements of the parameters cell declare, and what is wrong with the rest."""
    found: dict[str, ParameterDeclaration] = {}
    faults: list[ParameterFault] = []
    comments = _comments(units[0].cell.python) if units else {}
    for unit in units:
        for result in _declare(unit, comments):
            if isinstance(result, ParameterFault):
                faults.append(result)
            elif result.name in found:
                hint = f"keep one of the two lines; the first is line {found[result.name].line}"
                faults.append(ParameterFault("NB304", unit.node, f"parameter '{result.name}' is set twice", hint))
            else:
                found[result.name] = result
    return tuple(found.values()), tuple(faults)


def _declare(unit: Unit, comments: dict[int, str]) -> Iterator[ParameterDeclaration | ParameterFault]:
    match unit.node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield _parameter(unit, name, value, None, comments)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value, annotation=annotation):
            yield _parameter(unit, name, value, annotation, comments)
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return
        case ast.Import() | ast.ImportFrom():
            yield ParameterFault(
                "NB301", unit.node, "the parameters cell imports something",
                "move the import to a cell tagged `imports`",
            )  # fmt: skip
        case ast.Assign(targets=targets) if len(targets) > 1 or isinstance(targets[0], ast.Tuple | ast.List):
            yield ParameterFault(
                "NB301", unit.node, "the parameters cell sets several names in one statement",
                "write one line `name = value` for each parameter",
            )  # fmt: skip
        case _:
            yield ParameterFault(
                "NB301", unit.node, "the parameters cell does more than setting names to literal values",
                "move this statement to the cell below; parameters are lines such as `max_depth = 6`",
            )  # fmt: skip


def _parameter(
    unit: Unit, name: str, value: ast.expr, annotation: ast.expr | None, comments: dict[int, str]
) -> ParameterDeclaration | ParameterFault:
    if name.startswith("__"):
        return ParameterFault(
            "NB301", unit.node, f"'{name}' begins with two underscores, as names do that are Python's own",
            f"use another name, for example '{name.strip('_') or 'value'}'",
        )  # fmt: skip
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ParameterFault(
            "NB301", value, f"parameter '{name}' is computed, but a parameter must be a literal value",
            f"write the value itself, or move `{name} = …` to the cell below, where it is computed from the parameters",
        )  # fmt: skip
    reason = _not_plain(literal)
    if reason:
        return ParameterFault(
            "NB302", value, f"parameter '{name}' {reason}, which cannot be given on a command line or in a file", _HINT
        )
    kind = _TYPES[type(literal)]
    if annotation is not None:
        declared = _annotated(annotation)
        if declared is not None and not _fits(literal, declared):
            hint = f"write a value of type {declared.value}, or change the annotation"
            message = f"parameter '{name}' is annotated as {declared.value}, but its value is of type {kind.value}"
            return ParameterFault("NB303", value, message, hint)
        if declared is not None and literal is not None:
            kind = declared
    last = unit.node.end_lineno or unit.first
    comment = comments.get(last) or comments.get(unit.first, "")
    return ParameterDeclaration(name, kind, literal, comment, unit.cell.number, unit.first)


_HINT = "use numbers, text, True, False, None, lists, and dicts with text keys; build other values in the cell below"


def _not_plain(value: object) -> str:
    """Returns why a value is no plain JSON value, or ""."""
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number"
    if isinstance(value, list):
        return next((reason for item in value if (reason := _not_plain(item))), "")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            return "has keys that are no text"
        return next((reason for item in value.values() if (reason := _not_plain(item))), "")
    return "" if type(value) in _TYPES else f"holds a {type(value).__name__}"


def _annotated(annotation: ast.expr) -> ParameterType | None:
    """Returns the type that an annotation asks for, None when it says nothing that we can check."""
    inner: ast.expr | None = None
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _ANNOTATIONS.get(name)
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=of):
            inner = of
        case ast.Subscript(value=of) | ast.BinOp(left=of, op=ast.BitOr(), right=ast.Constant(value=None)):
            inner = of
        case ast.Constant(value=str(text)):
            inner = _parsed(text)
        case _:
            pass
    return _annotated(inner) if inner is not None else None


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _fits(value: Json, kind: ParameterType) -> bool:
    if value is None:
        return True
    if kind is ParameterType.FLOAT:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return _TYPES[type(value)] is kind


def _comments(python: str) -> dict[int, str]:
    """Returns the comment of each line that has one behind code or alone, without its `#`."""
    tokens = tokenize.generate_tokens(io.StringIO(python).readline)
    return {
        token.start[0]: token.string.lstrip("#").strip()
        for token in tokens
        if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip()
    }
