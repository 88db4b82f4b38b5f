"""Functions and classes that are values: what they keep, or how they were made, is not in their source alone.

Definitions are imported from the package or made anew in each step. One that remembers something (in an attribute, in a
mutable default argument, in a class attribute), that read data when it was made, or that comes out differently each
time (`def f(at=time.time())`) would be another one there. So it is a value of the step that makes it, and the steps
that use it are joined, as for other values that cannot be stored.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from nbmlops.analysis.fidelity.made_once import fickle_part, lasting_state
from nbmlops.analysis.flow.record import Callables, Summary, TokenKind
from nbmlops.analysis.graph import Graph, Kept
from nbmlops.analysis.imports.definitions import early_reads
from nbmlops.analysis.model import StatementKind
from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import find, walk

_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.Call)


def kept_definitions(graph: Graph) -> Mapping[str, Kept]:
    """Returns the definitions that must be values, by name: more than one step uses them, or making them matters."""
    found = {}
    for name, unit in graph.namespace.definitions.items():
        users = [step.name for step in graph.steps if name in step.closure]
        state = (_state(graph, name, unit) or lasting_state(graph, name, unit.node)) if len(users) > 1 else ""
        read = min(early_reads(graph, name), default="") if set(users) - {unit.home} else ""
        if once := fickle_part(graph, unit.node):
            found[name] = Kept(once=once)
        elif state or read:
            found[name] = Kept(state, "" if state else read)
    for block, names in graph.namespace.blocks.items():
        for name in names:
            users = [step.name for step in graph.steps if name in step.closure]
            state = _state_in_block(graph, name, block) if len(users) > 1 else ""
            if state:
                found[name] = Kept(state)
    return found


def _state_in_block(graph: Graph, name: str, block: Unit) -> str:
    """Returns where a function or class of a block keeps state, or ""."""
    if any(name in other.record.mutates for other in graph.units) or _changed_by_functions(graph, name):
        return "its attributes"
    made = (node for node in walk(block.node) if getattr(node, "name", "") == name and isinstance(node, ast.stmt))
    return next((state for node in made if (state := lasting_state(graph, name, node))), "")


def late_reads(callables: Callables, unit: Unit) -> frozenset[str]:
    """Returns the names that a definition reads when it is called, if it is a value; else nothing.

    Wherever it goes, it looks those up among the variables of the step that made it.
    """
    name = unit.defines() if unit.kind is StatementKind.CODE else ""
    if not name:
        return frozenset()
    tables = (*callables.functions.get(name, {}).values(), *callables.classes.get(name, {}).values())
    return frozenset().union(*(summary.reads for summary in tables))


def _state(graph: Graph, name: str, unit: Unit) -> str:
    """Returns where a definition keeps state, or ""."""
    if any(name in other.record.mutates for other in graph.units) or _changed_by_functions(graph, name):
        return "its attributes"
    for summary in graph.callables.functions.get(name, {}).values():
        kept = _changed_default(unit.node, summary)
        if kept:
            return f"its default argument '{kept}'"
    if isinstance(unit.node, ast.ClassDef):
        for summary in graph.callables.classes.get(name, {}).values():
            inside = summary.arguments and any(
                token.kind is TokenKind.INSIDE_ARGUMENT and token.name == summary.arguments[0]
                for token in summary.changes
            )
            if inside and _class_attribute(unit.node):
                return f"its class attribute '{_class_attribute(unit.node)}'"
    return ""


def _changed_by_functions(graph: Graph, name: str) -> bool:
    tables = [*graph.callables.functions.values(), *graph.callables.methods.values()]
    return any(
        token.name == name and token.kind in {TokenKind.NAME, TokenKind.INSIDE_NAME}
        for table in tables
        for summary in table.values()
        for token in summary.changes
    )


def _changed_default(node: ast.stmt, summary: Summary) -> str:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    positional = [*node.args.posonlyargs, *node.args.args]
    pairs = [*zip(reversed(positional), reversed(node.args.defaults), strict=False)]
    pairs += [(a, d) for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d is not None]
    changed = {t.name for t in summary.changes if t.kind in {TokenKind.ARGUMENT, TokenKind.INSIDE_ARGUMENT}}
    return next((a.arg for a, default in pairs if isinstance(default, _MUTABLE) and a.arg in changed), "")


def _class_attribute(node: ast.ClassDef) -> str:
    """Returns a mutable attribute that all instances share, unless the instances get one of their own."""
    targets = [target for part in find(node, ast.Assign) for target in part.targets]
    targets += [part.target for part in find(node, ast.AnnAssign)]
    own = {target.attr for target in targets if isinstance(target, ast.Attribute)}
    for part in node.body:
        match part:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.List() | ast.Dict() | ast.Set()) if name not in own:
                return name
    return ""
