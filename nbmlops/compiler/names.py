"""Names of our own among the user's: chosen so that they hide nothing."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

from nbmlops.core.syntax import find, kinds

_BINDING: frozenset[type[ast.AST]] = frozenset({
    ast.arg, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar,
    ast.MatchMapping, ast.alias, ast.Nonlocal, ast.Global,
})  # fmt: skip


def fresh(name: str, taken: Collection[str]) -> str:
    """Returns the name, with underscores behind it until nothing else is called so."""
    while name in taken:
        name += "_"
    return name


def mentioned(nodes: Iterable[ast.AST]) -> set[str]:
    """Returns every name that occurs in the code: read, bound, declared, or an argument."""
    found: set[str] = set()
    for node in nodes:
        found.update(name.id for name in find(node, ast.Name))
        for kind in kinds(node) & _BINDING:
            found.update(name for part in find(node, kind) for name in _bound_by(part))
    return found


def _bound_by(node: ast.AST) -> Iterable[str]:
    match node:
        case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case (
            ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            return (name,)
        case ast.alias(name=name, asname=alias):
            return (alias or name.partition(".")[0],)
        case ast.Nonlocal(names=names) | ast.Global(names=names):
            return names
        case _:
            return ()
