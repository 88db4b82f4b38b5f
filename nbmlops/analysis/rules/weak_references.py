"""NB222: weak reference handed over without the object.

In the notebook the object lives as long as its name. A step keeps what later steps read; an object that they know only
through a weak reference would go when the step ends, and the reference would be empty.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB222"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each weak reference that a later step reads, to an object that none reads."""
    for step in graph.steps:
        for unit in step.units:
            call = _weak(unit.node, graph.namespace.paths)
            if call is None or not unit.effects.may_bind & set(step.outputs):
                continue
            names = _names(*call.args, *(keyword.value for keyword in call.keywords))
            if names - graph.namespace.data:  # such as the variable of a comprehension
                names |= _names(unit.node) - unit.effects.may_bind
            for name in sorted(names & graph.namespace.data - set(step.outputs)):
                reader = _reader(graph, unit.effects.may_bind, step.name)
                yield graph.error(
                    CODE,
                    Place(unit, call),
                    f"a weak reference to '{name}' is read by step '{reader}', but '{name}' is not, so that it is gone "
                    f"when step '{step.name}' ends",
                    f"use '{name}' in step '{reader}', too, for example `{name} = {name}`, or keep it in a container "
                    "that the step reads",
                )


def _names(*nodes: ast.AST) -> set[str]:
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}


def _reader(graph: Graph, names: frozenset[str], producer: str) -> str:
    readers = [
        step.name for step in graph.steps for value in step.inputs if value.name in names and value.step == producer
    ]
    return readers[0] if readers else "the last"


def _weak(node: ast.stmt, paths: Mapping[str, str]) -> ast.Call | None:
    """Returns the call of `weakref` in a statement that binds a name, or None."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return None
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Name(id=name)) if paths.get(name, "").startswith("weakref."):
                return part
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if paths.get(name) == "weakref":
                return part
            case _:
                continue
    return None
