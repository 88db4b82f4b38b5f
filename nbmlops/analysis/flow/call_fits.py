"""Whether calls fit what they call, as far as the source tells: a wrong call's error names the function it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from msgspec import Struct

from nbmlops.core.syntax import find

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Signatures(Struct, frozen=True):
    """What a notebook's own functions take.

    Attributes:
        functions: Name -> arguments, of functions and of lambdas that have a name.
        classes: Name -> arguments of `__init__`.
        methods: Name -> arguments of each method of that name.
    """

    functions: Mapping[str, ast.arguments]
    classes: Mapping[str, ast.arguments]
    methods: Mapping[str, tuple[ast.arguments, ...]]

    def misfit(self, bodies: Iterable[ast.AST]) -> str:
        """Returns the name of a function that the code may call with other arguments than it takes, or ""."""
        calls = (call for body in bodies for call in find(body, ast.Call))
        return next((name for call in calls if (name := self._misfit(call))), "")

    def _misfit(self, call: ast.Call) -> str:
        match call.func:
            case ast.Attribute(attr=name):
                return "" if all(fits(call, taken, 1) for taken in self.methods.get(name, ())) else name
            case ast.Name(id=name) if name in self.functions:
                return "" if fits(call, self.functions[name]) else name
            case ast.Name(id=name) if name in self.classes:
                return "" if fits(call, self.classes[name], 1) else name
            case _:
                return ""


def signatures(nodes: Mapping[str, ast.AST]) -> Signatures:
    """Returns what functions, lambdas and classes take, given by name."""
    functions: dict[str, ast.arguments] = {}
    classes: dict[str, ast.arguments] = {}
    methods: dict[str, tuple[ast.arguments, ...]] = {}
    for name, node in nodes.items():
        if isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            functions[name] = node.args
        elif isinstance(node, ast.ClassDef):
            for method in (part for part in node.body if isinstance(part, _FUNCTIONS)):
                methods[method.name] = (*methods.get(method.name, ()), method.args)
                if method.name == "__init__":
                    classes[name] = method.args
    return Signatures(functions, classes, methods)


def fits(call: ast.Call, taken: ast.arguments, bound: int = 0) -> bool:
    """Returns whether the call surely gives what the function takes.

    Args:
        call: The call; `*` and `**` in it may be anything.
        taken: The arguments of the function.
        bound: How many of them are given already: the object that a method belongs to.
    """
    if any(isinstance(given, ast.Starred) for given in call.args) or any(given.arg is None for given in call.keywords):
        return False
    positional = [*taken.posonlyargs, *taken.args]
    by_name = {argument.arg for argument in (*taken.args, *taken.kwonlyargs)}
    count = len(call.args) + bound
    filled = [argument.arg for argument in positional[:count]]
    filled += [given.arg for given in call.keywords if given.arg is not None]
    missing = [argument.arg for argument in positional[: len(positional) - len(taken.defaults)]]
    missing += [a.arg for a, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True) if default is None]
    known = taken.kwarg is not None or all(given.arg in by_name for given in call.keywords)
    room = taken.vararg is not None or count <= len(positional)
    return known and room and len(set(filled)) == len(filled) and set(missing) <= set(filled)
