"""Names of our own among the user's: chosen so that they hide nothing."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable


def fresh(name: str, taken: Collection[str]) -> str:
    """Returns the name, with underscores behind it until nothing else is called so."""
    while name in taken:
        name += "_"
    return name


def mentioned(nodes: Iterable[ast.AST]) -> set[str]:
    """Returns every name that occurs in the code: read, bound, declared, or an argument."""
    found: set[str] = set()
    for node in nodes:
        for child in ast.walk(node):
            found |= _names_in(child)
    return found


def _names_in(node: ast.AST) -> set[str]:
    match node:
        case ast.Name(id=name) | ast.arg(arg=name):
            return {name}
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name.partition(".")[0] for alias in aliases}
        case ast.Nonlocal(names=names) | ast.Global(names=names):
            return set(names)
        case _:
            return {node.rest} if isinstance(node, ast.MatchMapping) and node.rest else set()
