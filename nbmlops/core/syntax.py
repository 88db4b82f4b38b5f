"""Python code as syntax trees: a text is parsed once, and a tree is walked once, however many passes look at it.

What was found out about a node is kept beside it: the nodes directly below, all below, and those by their kind.

Comes in: the text of cells and of local modules. All layers read the trees that come out; nobody changes one.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, KeysView, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import TypeVar

# Fields that hold texts, numbers, contexts and operators, never code.
_PLAIN = frozenset({
    "arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "level", "module", "op", "ops", "rest",
    "simple", "type_comment",
})  # fmt: skip
_FIELDS: Mapping[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(field for field in kind._fields if field not in _PLAIN)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST) and kind is not ast.Constant
}
_CHILDREN = "nodes_directly_below"
_BELOW = "nodes_below"
_BY_KIND = "nodes_by_kind"
_Node = TypeVar("_Node", bound=ast.AST)


@lru_cache(maxsize=4096)
def parse(python: str, cell: int = 0) -> ast.Module:  # noqa: ARG001 - a part of the key
    """Returns the tree of a text, the same one whenever it is asked for.

    Args:
        python: The text.
        cell: Number of the cell whose text it is, where its nodes stand for places: cells with the same text have
            trees of their own.

    Raises:
        SyntaxError: the text is not Python.
        ValueError: it holds a null byte.
    """
    with warnings.catch_warnings():
        # A "\d" in a plain string is the user's affair; the warning would name a file that does not exist.
        warnings.simplefilter("ignore")
        return ast.parse(python)


def children(node: ast.AST) -> Sequence[ast.AST]:
    """Returns the nodes directly below a node, as `ast.iter_child_nodes` does, without contexts and operators."""
    fields = _FIELDS.get(node.__class__, ())
    if not fields:
        return ()
    known: Sequence[ast.AST] | None = getattr(node, _CHILDREN, None)
    if known is not None:
        return known
    found: list[ast.AST] = []
    for field in fields:
        value = getattr(node, field, None)
        if not value:  # most lists are empty, most other parts not there
            continue
        if value.__class__ is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    known = tuple(found)
    setattr(node, _CHILDREN, known)
    return known


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Returns a node and all below it in the order of `ast.walk`, without contexts and operators."""
    return chain((tree,), _below(tree))


def kinds(tree: ast.AST) -> KeysView[type[ast.AST]]:
    """Returns the classes of all nodes that `walk` meets: most code holds none of what a pass looks for."""
    return _by_kind(tree).keys()


def find(tree: ast.AST, kind: type[_Node]) -> Sequence[_Node]:
    """Returns the nodes of a class that `walk` meets, in its order."""
    return _by_kind(tree).get(kind, ())  # type: ignore[return-value]  # under each class stand its nodes


def _by_kind(tree: ast.AST) -> Mapping[type[ast.AST], Sequence[ast.AST]]:
    known: Mapping[type[ast.AST], Sequence[ast.AST]] | None = getattr(tree, _BY_KIND, None)
    if known is not None:
        return known
    found: dict[type[ast.AST], list[ast.AST]] = {}
    for node in walk(tree):
        found.setdefault(node.__class__, []).append(node)
    setattr(tree, _BY_KIND, found)
    return found


def _below(tree: ast.AST) -> Sequence[ast.AST]:
    below: Sequence[ast.AST] | None = getattr(tree, _BELOW, None)
    if below is None:
        found = list(children(tree))
        for node in found:  # grows meanwhile
            found += children(node)
        below = tuple(found)
        setattr(tree, _BELOW, below)
    return below
