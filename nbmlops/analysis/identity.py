"""Names whose identity code compares: `a is b`, `id(a)`.

Two names for one list stay one list from step to step. Of values that cannot change, such as tuples and floats, only
the content is handed over; where code tells equal ones apart, they stay in their process instead.
"""

from __future__ import annotations

import ast

from nbmlops.analysis.graph import Graph
from nbmlops.analysis.knowledge import BUILTINS
from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import kinds, walk

_COMPARING = (ast.Compare, ast.Call)


def compared_names(graph: Graph) -> frozenset[str]:
    """Returns the data that such code reads, and the data that this is made from."""
    namespace = graph.namespace
    known = namespace.definitions | namespace.constants
    comparing = {name for name, unit in known.items() if _compares(graph, unit.node)}
    while more := {n for n, unit in known.items() if n not in comparing and unit.record.mentions.keys() & comparing}:
        comparing |= more
    data = namespace.data | namespace.parameters.keys()
    found: set[str] = set()
    for unit in graph.units:
        if unit.record.mentions.keys() & comparing or _compares(graph, unit.node):
            found |= _named(unit) & data
    again = bool(found)
    while again:
        made = {n for u in graph.units if (u.effects.may_bind | u.effects.mutates) & found for n in _named(u) & data}
        again = not made <= found
        found |= made
    return frozenset(found)


def _named(unit: Unit) -> set[str]:
    return {*unit.record.mentions, *unit.record.reads, *unit.effects.may_bind, *unit.effects.mutates}


def _compares(graph: Graph, tree: ast.AST) -> bool:
    if kinds(tree).isdisjoint(_COMPARING):
        return False
    for node in walk(tree):
        match node:
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [left, *others]
                pairs = zip(ops, sides, sides[1:], strict=False)
                if any(isinstance(op, ast.Is | ast.IsNot) and not _is_known(graph, a, b) for op, a, b in pairs):
                    return True
            case ast.Call(func=ast.Name(id="id"), args=[_]) if "id" not in graph.namespace.bindings:
                return True
            case _:
                continue
    return False


def _is_known(graph: Graph, *sides: ast.expr) -> bool:
    """Returns whether one side is the same object in each process: None, a class, something that is imported."""
    names = graph.namespace.imports.keys() | graph.namespace.definitions.keys() | BUILTINS
    for side in sides:
        root = side
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(side, ast.Constant) or (isinstance(root, ast.Name) and root.id in names):
            return True
        if isinstance(side, ast.Call) and isinstance(side.func, ast.Name) and side.func.id == "type":
            return True
    return False
