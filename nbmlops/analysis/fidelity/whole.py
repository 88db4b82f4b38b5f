"""Calls that reach the namespace by names that nobody knows before they run: `exec`, `eval`, `globals()[name]`.

Such a call is told by the syntax around it. Comes in: the tree of a statement. Goes out: what each such call may do.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from enum import StrEnum

from nbmlops.analysis.fidelity.hidden import is_expression
from nbmlops.core.syntax import children, find

VIEWS = frozenset({"globals", "locals", "vars", "dir"})
"""Functions that give the namespace, when they are called without an argument."""
RUNNERS = frozenset({"eval", "exec"})
"""Functions that run code which is given as text."""

_REACHING = VIEWS | RUNNERS
_LOOKUPS = frozenset({"get", "__getitem__", "__contains__"})
_STORES = frozenset({"update", "setdefault", "pop", "__setitem__", "__delitem__"})
_NAMESPACES = frozenset({"globals", "locals", "local_dict", "global_dict"})
_FORMATTING = frozenset({"format", "format_map", "substitute", "safe_substitute"})
_ASKS_BY_NAME = frozenset({"sqldf", "eval", "exec", "evaluate", "timeit", "repeat", "Timer"})


class Access(StrEnum):
    """What a call may do to the names of the notebook.

    READ: reads any of them. BIND: reads, binds and unbinds any of them. LIST: asks which names there are.
    """

    READ = "read"
    BIND = "bind"
    LIST = "list"


def accesses(tree: ast.AST) -> dict[ast.AST, Access]:
    """Returns the calls of this kind with what they may do, provided that their names are Python's own."""
    if not any(name.id in _REACHING for name in find(tree, ast.Name)):
        return {}
    found: dict[ast.AST, Access] = {}
    for node, parents in _calls(tree):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in RUNNERS:
            access = _of_runner(node, name)
        elif name == "map" and node.args and getattr(node.args[0], "id", "") in RUNNERS:
            access = Access.READ if getattr(node.args[0], "id", "") == "eval" else Access.BIND
        elif name in VIEWS and not node.args and not node.keywords:
            access = _of_view(node, name, parents)
        else:
            continue
        if access is not None:
            found[node] = access
    return found


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, Mapping[ast.AST, ast.AST]]]:
    parents: dict[ast.AST, ast.AST] = {}
    calls: list[ast.Call] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            calls.append(node)
        for child in children(node):
            parents[child] = node
            waiting.append(child)
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        yield call, parents


def _of_runner(node: ast.Call, name: str) -> Access | None:
    spaces = [*node.args[1:], *(keyword.value for keyword in node.keywords if keyword.arg != "closure")]
    if spaces and not any(_is_view(space) or _is_none(space) for space in spaces):
        return None  # it runs in a namespace of its own
    if name == "eval" and not spaces and node.args and is_expression(node.args[0]):
        return None  # what it reads can be seen
    return Access.READ if name == "eval" else Access.BIND


def _of_view(node: ast.Call, name: str, parents: Mapping[ast.AST, ast.AST]) -> Access:
    parent = parents.get(node)
    match parent:
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[other]) | ast.BinOp(op=ast.Mod(), right=other) if (
            other is node
        ):
            return Access.READ
        case ast.Subscript(value=value, ctx=context) if value is node and name != "dir":
            return Access.READ if isinstance(context, ast.Load) else Access.BIND
        case _ if name == "dir":
            return Access.LIST
        case ast.Attribute(attr=method):
            return _of_method(parent, method, parents)
        case ast.keyword() | ast.Call():
            return _of_argument(parent, parents)
        case _:
            return Access.LIST


def _of_method(attribute: ast.Attribute, method: str, parents: Mapping[ast.AST, ast.AST]) -> Access:
    call = parents.get(attribute)
    if not isinstance(call, ast.Call) or call.func is not attribute:
        return Access.LIST
    if method in _LOOKUPS:
        return Access.READ
    if method in _STORES:
        return Access.BIND
    around = parents.get(call)
    match around:
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[compared]) if compared is call and method == "keys":
            return Access.READ
        case _:
            return Access.LIST


def _of_argument(parent: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> Access:
    """Returns what a function does with the namespace that it is given: those known here ask for single names."""
    called = _called(parents[parent] if isinstance(parent, ast.keyword) else parent)
    if isinstance(parent, ast.keyword):
        known = parent.arg in _NAMESPACES or (parent.arg is None and called in _FORMATTING)
    else:
        known = called in _ASKS_BY_NAME | _FORMATTING
    if not known:
        return Access.LIST
    return Access.BIND if called == "exec" else Access.READ


def _called(node: ast.AST) -> str:
    """Returns the last part of the name of the function that is called."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))


def _is_view(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") in VIEWS and not node.args


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
