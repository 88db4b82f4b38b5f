"""Names whose identity code compares: `a is b`, `id(a)`.

Two names for one list stay one list from step to step. Of values that cannot change, such as tuples and floats, only
the content is handed over; where code tells equal ones apart, they stay in their process instead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from nbmlops.analysis.flow.knowledge import BUILTINS
from nbmlops.analysis.graph import Graph, StepNode
from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import find, kinds, walk

_COMPARING = (ast.Compare, ast.Call)

_OF_MEMORY = frozenset({"base", "owndata", "resize", "OWNDATA"})
_WORDS = (" is ", "id", "is_")
_FUNCTIONS = frozenset({"is_", "is_not"})
_SMALL = (-5, 256)  # the integers that CPython has one object of
_WORD = re.compile(r"\w*", re.ASCII)  # texts in code that CPython has one object of


def comparing_units(graph: Graph) -> tuple[Unit, ...]:
    """Returns the statements that compare identities, themselves or by functions that they name."""
    if not any(word in cell.python for cell in graph.notebook.cells for word in _WORDS):
        return ()
    comparing = {unit for unit in graph.units if _compares(graph, unit.node)}
    known = graph.namespace.definitions | graph.namespace.constants
    names = {name for name, unit in known.items() if unit in comparing}
    while more := {n for n, unit in known.items() if n not in names and unit.record.mentions.keys() & names}:
        names |= more
    return tuple(unit for unit in graph.units if unit in comparing or unit.record.mentions.keys() & names)


def compared_names(graph: Graph) -> frozenset[str]:
    """Returns the data and constants that such code reads, and those that this is made from."""
    namespace = graph.namespace
    data = namespace.data | namespace.parameters.keys() | namespace.constants.keys()
    found = {name for unit in graph.comparing for name in _named(unit) & data}
    again = bool(found)
    while again:
        made = {n for u in graph.units if (u.effects.may_bind | u.effects.mutates) & found for n in _named(u) & data}
        again = not made <= found
        found |= made
    return frozenset(found)


def names_of_memory(graph: Graph) -> frozenset[str]:
    """Returns the data that code asks whose memory it has: `view.base is array`; `array.resize(9)` needs its own."""
    namespace = graph.namespace
    if not any(word in cell.python for cell in graph.notebook.cells for word in _OF_MEMORY):
        return frozenset()
    asking = {name for name, unit in namespace.definitions.items() if _asks_for_memory(graph, unit.node)}
    units = [u for u in graph.units if u.record.mentions.keys() & asking or _asks_for_memory(graph, u.node)]
    return frozenset(name for unit in units for name in _named(unit) & namespace.data)


def _asks_for_memory(graph: Graph, tree: ast.AST) -> bool:
    for node in find(tree, ast.Attribute):
        if node.attr in _OF_MEMORY:
            root: ast.expr = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if not (isinstance(root, ast.Name) and root.id in graph.namespace.imports):
                return True
    return any(node.value == "OWNDATA" for node in find(tree, ast.Constant))


def compared_constants(graph: Graph) -> frozenset[str]:
    """Returns the constants of which code compares identities: in the package they would be other objects."""
    compared = compared_names(graph) & graph.namespace.constants.keys()
    units = {name: graph.namespace.constants[name] for name in compared}
    return frozenset(
        name
        for name, unit in units.items()
        if unit not in graph.namespace.blocks and any(_is_own_object(part) for part in walk(unit.node))
    )


def keep_parameters(graph: Graph, compared: AbstractSet[str]) -> None:
    """Takes parameters of which code compares identities for values: each process would make them anew."""
    names = graph.namespace.parameters.keys() & compared
    for unit in graph.units if names else ():
        for name in names & unit.record.mentions.keys():
            unit.record.mutates.setdefault(name, unit.record.mentions[name])
        unit.effects = replace(unit.effects, mutates=frozenset(unit.record.mutates))


def merged_literals(step: StepNode, compared: AbstractSet[str]) -> Unit | None:
    """Returns a statement with a literal that another one of the step has as well, of which code compares identities.

    A kernel compiles each statement by itself; in a function Python makes one object of equal literals.
    """
    seen: dict[str, Unit] = {}
    for unit in step.units:
        if compared.isdisjoint(_named(unit)):
            continue
        for part in walk(unit.node):
            if _is_own_object(part) and seen.setdefault(ast.dump(part), unit) is not unit:
                return unit
    return None


def is_told_apart(value: object) -> bool:
    """Returns whether a literal of this value, made anew in another process, may be another object than before."""
    if isinstance(value, bool) or value is None or value is ...:
        return False
    if isinstance(value, int):
        return not _SMALL[0] <= value <= _SMALL[1]
    return not isinstance(value, str | bytes) or len(value) > 1


def _is_own_object(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=str(text)):
            return is_told_apart(text) and not _WORD.fullmatch(text)
        case ast.Constant(value=value):
            return is_told_apart(value)
        case ast.Tuple(elts=[_, *_] as items):
            return all(isinstance(item, ast.Constant) for item in items)
        case _:
            return False


def _named(unit: Unit) -> set[str]:
    return {*unit.record.mentions, *unit.record.reads, *unit.effects.may_bind, *unit.effects.mutates}


def _compares(graph: Graph, tree: ast.AST) -> bool:
    if kinds(tree).isdisjoint(_COMPARING):
        return False
    for node in find(tree, ast.Compare):
        sides = [node.left, *node.comparators]
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        if any(isinstance(op, ast.Is | ast.IsNot) and not _is_known(graph, a, b) for op, a, b in pairs):
            return True
    asking = _FUNCTIONS if "id" in graph.namespace.bindings else _FUNCTIONS | {"id"}
    called = any(node.id in asking for node in find(tree, ast.Name))
    return called or any(node.attr in _FUNCTIONS for node in find(tree, ast.Attribute))


def _is_known(graph: Graph, *sides: ast.expr) -> bool:
    """Returns whether one side is the same object in each process: None, a class, something that is imported."""
    names = graph.namespace.imports.keys() | graph.namespace.definitions.keys() | BUILTINS
    for side in sides:
        root = side
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(side, ast.Constant) and not is_told_apart(side.value):
            return True
        if isinstance(root, ast.Name) and root.id in names:
            return True
        if isinstance(side, ast.Call) and isinstance(side.func, ast.Name) and side.func.id == "type":
            return True
    return False
