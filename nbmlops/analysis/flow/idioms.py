"""Idioms that are known by their syntax alone, for the passes that walk code."""

from __future__ import annotations

import ast

_CLASS_MAKERS = frozenset({
    "namedtuple", "NamedTuple", "TypedDict", "TypeVar", "ParamSpec", "NewType", "make_dataclass",
    "Enum", "IntEnum", "StrEnum", "Flag", "IntFlag",
})  # fmt: skip
_CACHES = frozenset({"cache", "lru_cache"})


def is_super(node: ast.expr) -> bool:
    """Returns whether the expression is a call of `super`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def is_class_of_object(node: ast.expr) -> bool:
    """Returns whether the expression is `type(x)` or `x.__class__`."""
    match node:
        case ast.Attribute(attr="__class__") | ast.Call(func=ast.Name(id="type"), args=[_]):
            return True
        case _:
            return False


def remembers(node: ast.AST) -> bool:
    """Returns whether a function is decorated with `functools.cache` or `lru_cache`, so that it repeats itself."""
    return any(_last_name(decorator) in _CACHES for decorator in getattr(node, "decorator_list", ()))


def class_made_by_call(node: ast.stmt) -> str:
    """Returns the name of the class in `Point = namedtuple("Point", "x y")` and the like, or ""."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[ast.Constant(value=told), *_]) as call) if (
            told == name and _last_name(call) in _CLASS_MAKERS
        ):
            return name
        case _:
            return ""


def _last_name(node: ast.expr) -> str:
    """Returns the last name of a dotted path, called or not."""
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
