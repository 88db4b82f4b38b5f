"""Expressions that give an equal value each time, and that nothing can change: what may be evaluated in every process.

Asked of what Python evaluates when a definition is made: default arguments, decorators, the body of a class.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from nbmlops.core.syntax import children

_BUILTINS = """
    abs bool bytes chr classmethod complex divmod float format frozenset hasattr int isinstance issubclass len max min
    ord pow property range round slice staticmethod str sum super tuple type
"""
_ATTRIBUTES = """
    Decimal Fraction Literal LooseVersion MappingProxyType NewType ParamSpec Path PurePath Timedelta TypeVar UUID
    Version as_posix cache cached_property capitalize casefold compile contextmanager dataclass date dtype encode
    endswith field find_spec finfo float32 float64 iinfo int32 int64 is_available join joinpath lower lru_cache
    namedtuple parse partial removeprefix removesuffix replace rstrip split startswith strip timedelta timezone title
    total_ordering upper version with_suffix wraps
"""
_FUNCTIONS = frozenset(_BUILTINS.split()) | frozenset(_ATTRIBUTES.split())
# What the value of an expression of each kind is made from.
_PARTS: Mapping[type[ast.expr], tuple[str, ...]] = MappingProxyType(
    {
        ast.Constant: (),
        ast.Name: (),
        ast.Attribute: ("value",),
        ast.Starred: ("value",),
        ast.FormattedValue: ("value",),
        ast.UnaryOp: ("operand",),
        ast.Tuple: ("elts",),
        ast.JoinedStr: ("values",),
        ast.BoolOp: ("values",),
        ast.BinOp: ("left", "right"),
        ast.Compare: ("left", "comparators"),
        ast.IfExp: ("test", "body", "orelse"),
        ast.Slice: ("lower", "upper", "step"),
    }
)


def is_repeatable(node: ast.expr) -> bool:
    """Returns whether evaluating the expression again, in another process, surely makes no difference."""
    if isinstance(node, ast.Call):
        return _is_repeatable_call(node)
    if isinstance(node, ast.Subscript):
        # `list[int]` and `Literal["a", "b"]`; a list stands for the arguments of a callable.
        return is_repeatable(node.value) and _is_index(node.slice)
    if isinstance(node, ast.Lambda):
        return _all(defaults_of(node.args))
    names = _PARTS.get(type(node))
    return names is not None and _all(part for name in names for part in _listed(getattr(node, name)))


def _is_repeatable_call(node: ast.Call) -> bool:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    below = [function.value] if isinstance(function, ast.Attribute) else []
    return name in _FUNCTIONS and _all([*below, *node.args, *(keyword.value for keyword in node.keywords)])


def _is_index(node: ast.expr) -> bool:
    items = node.elts if isinstance(node, ast.Tuple) else [node]
    return all(is_repeatable(item) or (isinstance(item, ast.List) and _all(item.elts)) for item in items)


def _listed(part: ast.expr | list[ast.expr] | None) -> list[ast.expr]:
    if part is None:
        return []
    return part if isinstance(part, list) else [part]


def _all(nodes: Iterable[ast.expr]) -> bool:
    return all(is_repeatable(node) for node in nodes)


def defaults_of(arguments: ast.arguments) -> list[ast.expr]:
    """Returns the default values of arguments, positional ones first."""
    return [*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)]


def unrepeatable_parts(node: ast.stmt) -> list[ast.expr]:
    """Returns the expressions of a definition that are evaluated with it and may give something else the next time.

    Annotations are left out: types are made from types.
    """
    early: list[ast.expr]
    inside: list[ast.stmt] = []
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            early = [*node.decorator_list, *defaults_of(node.args)]
        case ast.Assign(value=ast.Lambda() as function) | ast.AnnAssign(value=ast.Lambda() as function):
            early = defaults_of(function.args)
        case ast.ClassDef():
            early = [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]
            inside = node.body
        case ast.AnnAssign(value=value):
            early = _listed(value)
        case ast.If() | ast.For() | ast.While():
            early = [node.iter if isinstance(node, ast.For) else node.test]
            inside = [*node.body, *node.orelse]
        case ast.Try() | ast.With():
            early = [item.context_expr for item in getattr(node, "items", ())]
            inside = [part for part in children(node) if isinstance(part, ast.stmt)]
            inside += [part for handler in getattr(node, "handlers", ()) for part in handler.body]
        case _:
            early = [part for part in children(node) if isinstance(part, ast.expr)]
    found = [part for part in early if not is_repeatable(part)]
    return [*found, *(part for inner in inside for part in unrepeatable_parts(inner))]
