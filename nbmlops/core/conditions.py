"""The small language of conditions in rules: `distance > 1000 and origin in ["EWR", "JFK"]`. Parsed, never executed.

Comparisons of a column with constants, `in` and `not in` lists of them, `and`, `or`, `not`, parentheses. Columns whose
names are no identifiers stand in backticks. There are no calls, no attributes and no arithmetic, so a condition can do
nothing but choose rows.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

MOST_CHARACTERS = 500
_QUOTED = re.compile(r"`([^`]+)`")
_OPERATORS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_MIRRORED: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    **_OPERATORS,
    ast.Lt: operator.gt,
    ast.LtE: operator.ge,
    ast.Gt: operator.lt,
    ast.GtE: operator.le,
}
Constant = bool | int | float | str


class Comparison(Struct, frozen=True):
    """A column beside a constant."""

    column: str
    compare: Callable[[Any, Any], Any]
    constant: Constant


class Membership(Struct, frozen=True):
    """A column within a list of constants."""

    column: str
    constants: tuple[Constant, ...]


class Not(Struct, frozen=True):
    """The opposite of a condition."""

    inner: Condition


class Both(Struct, frozen=True):
    """Two or more conditions of which all hold, or at least one."""

    parts: tuple[Condition, ...]
    every: bool


Condition = Comparison | Membership | Not | Both


def parse_condition(text: str) -> Condition:
    """Returns the condition that a text means.

    Raises:
        ValueError: it means none in this language; the message says where.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"it is longer than {MOST_CHARACTERS} characters")
    names: dict[str, str] = {}

    def plain(found: re.Match[str]) -> str:
        name = f"_column_{len(names)}"
        names[name] = found[1]
        return name

    try:
        tree = ast.parse(_QUOTED.sub(plain, text).strip(), mode="eval").body
        return _condition(tree, names)
    except (SyntaxError, RecursionError, MemoryError) as error:
        detail = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise ValueError(f"it is no condition: {detail}") from error


def columns_in(condition: Condition) -> tuple[str, ...]:
    """Returns the columns that a condition is about, each once."""
    match condition:
        case Comparison(column=column) | Membership(column=column):
            return (column,)
        case Not(inner=inner):
            return columns_in(inner)
        case Both(parts=parts):
            return tuple(dict.fromkeys(name for part in parts for name in columns_in(part)))


def _condition(node: ast.expr, names: Mapping[str, str]) -> Condition:
    match node:
        case ast.BoolOp(op=op, values=values):
            return Both(tuple(_condition(value, names) for value in values), isinstance(op, ast.And))
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return Not(_condition(inner, names))
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [left, *others]
            parts = [_comparison(sides[at], op, sides[at + 1], names) for at, op in enumerate(ops)]
            return parts[0] if len(parts) == 1 else Both(tuple(parts), every=True)
        case _:
            raise ValueError(f"`{ast.unparse(node)}` is no comparison of a column with a constant")


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, names: Mapping[str, str]) -> Condition:
    shown = ast.unparse(ast.Compare(left, [op], [right]))
    if isinstance(op, ast.In | ast.NotIn):
        if not (isinstance(left, ast.Name) and isinstance(right, ast.List | ast.Tuple | ast.Set)):
            raise ValueError(f"`{shown}` is not a column in a list of constants")  # noqa: TRY004 - the text is wrong
        found = Membership(names.get(left.id, left.id), tuple(_constant(one) for one in right.elts))
        return found if isinstance(op, ast.In) else Not(found)
    if type(op) not in _OPERATORS:
        raise ValueError(f"`{shown}` uses an operator that conditions do not have")
    if isinstance(left, ast.Name) and not isinstance(right, ast.Name):
        return Comparison(names.get(left.id, left.id), _OPERATORS[type(op)], _constant(right))
    if isinstance(right, ast.Name) and not isinstance(left, ast.Name):
        return Comparison(names.get(right.id, right.id), _MIRRORED[type(op)], _constant(left))
    raise ValueError(f"`{shown}` does not compare a column with a constant")


def _constant(node: ast.expr) -> Constant:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if not isinstance(
            value, bool
        ):
            return -value
        case _:
            raise ValueError(f"`{ast.unparse(node)}` is no number, text, True or False")
