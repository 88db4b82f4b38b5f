"""Which tables, arrays and models of the notebook a cell's text names, and whether it uses or binds them.

Nothing here looks at all variables: the text of the cell says which ones count. What a cell reaches by other ways,
through functions that use globals or through containers, is not seen.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

_MOST_TEXT = 50_000
_NAME = re.compile(r"[^\W\d]\w*")
_ESCAPE = re.compile(r"\\[^\n]")
_MAGIC = re.compile(r"(?m)^([ \t]*)[%!].*$")
_KINDS = {
    ("pandas", "DataFrame"): "frame",
    ("pandas", "Series"): "series",
    ("polars", "DataFrame"): "frame",
    ("polars", "Series"): "series",
    ("pyarrow", "Table"): "table",
    ("pyarrow", "RecordBatch"): "table",
    ("numpy", "ndarray"): "array",
    ("scipy", "_spbase"): "matrix",
    ("sklearn", "BaseEstimator"): "model",
}
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def kind_of(cls: type) -> str:
    """Returns "frame", "series", "table", "array", "matrix" or "model"; "" for a class of other values."""
    if len(cls.__mro__) == 2:  # most values that a cell names: numbers, texts, functions, modules
        return _KINDS.get(_home(cls), "")
    names = map(_home, cls.__mro__)
    return next((_KINDS[name] for name in names if name in _KINDS), "")


def _home(cls: type) -> tuple[str, str]:
    return str(cls.__module__).partition(".")[0], cls.__name__  # which a class may set to anything


@lru_cache(64)
def _words(source: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_NAME.findall(source[:_MOST_TEXT])))


def tables_named(source: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the tables, arrays and models that the text names, as they are now; private names are left out."""
    found = {}
    for name in _words(source):
        value = namespace.get(name)
        if value is not None and kind_of(type(value)) and name[0] != "_":
            found[name] = value
    return found


class Roles(Struct, frozen=True):
    """The names that a cell loads and those that it binds or deletes; a name may be both."""

    loads: frozenset[str]
    binds: frozenset[str]


def roles(source: str) -> Roles | None:
    """Returns what a cell does with names; None where its text is no Python even without lines of magics."""
    try:
        tree = ast.parse(_without_escapes(_MAGIC.sub(r"\1pass", source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    loads: set[str] = set()
    binds: set[str] = set()
    for name in _names(tree):
        (loads if isinstance(name.ctx, ast.Load) else binds).add(name.id)
    changed = {
        node.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    }
    # A name in the line of a magic, `%mlops data df`, is used there.
    loads |= {name for line in _MAGIC.finditer(source) for name in _NAME.findall(line.group())}
    return Roles(frozenset(loads | changed), frozenset(binds))


def _without_escapes(source: str) -> str:
    """Returns the code with other texts in its quotes: Python warns of escapes that it does not know.

    Silencing it would change the filters of warnings under a cell that runs meanwhile.
    """
    return _ESCAPE.sub(r"\\\\", source) if "\\" in source else source


def _names(node: ast.AST) -> Iterator[ast.Name]:
    """Yields the names that belong to the namespace of the cell: of a function's those that it does not bind itself."""
    if isinstance(node, ast.Name):
        yield node
        return
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        targets = [part.target for part in node.generators]
        own = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        yield from (name for name in _below(node) if name.id not in own)
        return
    if not isinstance(node, _Scope):
        yield from _below(node)
        return
    arguments = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
    inner = list(_below(node))
    bound = arguments | {name.id for name in inner if not isinstance(name.ctx, ast.Load)}
    yield from (name for name in inner if name.id not in bound)


def _below(node: ast.AST) -> Iterator[ast.Name]:
    for child in ast.iter_child_nodes(node):
        yield from _names(child)
