"""Steps that look at an error whose text tells where code lives: of a name without a value, of a call that is wrong.

In the notebook it is a `NameError`, "name 'x' is not defined". In a function it is an `UnboundLocalError` with another
text, so that a step that shows it needs the notebook's namespace. `f() takes 2 positional arguments` names the function
around `f`, too, where it is made in one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from nbmlops.analysis.certain import surely_bound
from nbmlops.analysis.fidelity.code_places import rebuilt
from nbmlops.analysis.flow.call_fits import Signatures, signatures
from nbmlops.analysis.graph import Graph, StepNode
from nbmlops.analysis.model import StatementKind
from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import find, kinds, walk

_TRIES = (ast.Try, ast.TryStar)
_CATCHING = frozenset({"NameError", "UnboundLocalError", "Exception", "BaseException"})
_OF_CALLS = frozenset({"TypeError"})
_OF_ANY = frozenset({"Exception", "BaseException"})
_ASKING = frozenset({"exc_info", "exception", "format_exc", "print_exc", "print_exception", "format_exception"})


def steps_that_show_missing_names(graph: Graph) -> dict[str, str]:
    """Returns why a step needs the notebook's namespace, for each step that may show the error of a missing name."""
    if not any(_tries(unit.node) for unit in graph.units):
        return {}
    found = {}
    before = surely_bound(graph.steps, graph.namespace.parameters, ())
    for step, sure in zip(graph.steps, before, strict=False):
        reason = next(_reasons(graph, step, set(sure)), "")
        if reason:
            found[step.name] = reason
    return found


def steps_that_show_calls(graph: Graph) -> dict[str, str]:
    """Returns why a step needs the notebook's namespace, for each that shows errors of calling what steps define.

    Steps that make such functions for others are among them.
    """
    kept = {name: graph.namespace.definitions[name] for name in rebuilt(graph)}
    made = {unit.defines() or _named_lambda(unit.node): unit for unit in graph.units if unit.kind is StatementKind.CODE}
    made.pop("", None)
    known = signatures({name: _callable(unit.node) for name, unit in (kept | made).items()})
    found: dict[str, str] = {}
    for step in graph.steps:
        for unit in (*step.units, *(kept[name] for name in sorted(step.closure & kept.keys()))):
            for name in _calls_shown(graph, unit, (kept | made).keys(), known):
                reason = f"cell {unit.cell.number}: an error of calling '{name}' is looked at"
                for place in {step.name, *([made[name].home] if name in made else ())}:
                    found.setdefault(place, reason)
    return found


def _named_lambda(node: ast.AST) -> str:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
            return name
        case _:
            return ""


def _callable(node: ast.AST) -> ast.AST:
    return node.value if isinstance(node, ast.Assign) else node


def _calls_shown(graph: Graph, unit: Unit, own: AbstractSet[str], known: Signatures) -> Iterator[str]:
    """Yields the functions that a statement may call wrongly and whose error it looks at."""
    if kinds(unit.node).isdisjoint(_TRIES):
        return
    bodies = [part for node in _tries(unit.node, _OF_CALLS) for part in node.body]
    named = {part.id for body in bodies for part in find(body, ast.Name)}
    if name := min((named | _reached(graph, named)) & own, default=""):
        yield name
    bodies = [part for node in _tries(unit.node, _OF_ANY) for part in node.body]
    named = {part.id for body in bodies for part in find(body, ast.Name)}
    behind = [graph.namespace.definitions[name].node for name in sorted(_reached(graph, named))]
    if bodies and (name := known.misfit([*bodies, *behind])):
        yield name


def _reasons(graph: Graph, step: StepNode, bound: set[str]) -> Iterator[str]:
    data = graph.namespace.data | graph.namespace.parameters.keys()
    for unit in step.units:
        unsure = (unit.record.reads.keys() | unit.record.soft.keys()) & data - bound
        for name in sorted(unsure and unsure & _tried(graph, unit)):
            yield f"cell {unit.cell.number}: '{name}' may have no value, and the text of that error is looked at"
        bound = (bound | unit.effects.binds) - unit.effects.deletes


def _tried(graph: Graph, unit: Unit) -> set[str]:
    """Returns the names that code reads, maybe through functions, whose errors the statement looks at."""
    definitions = graph.namespace.definitions
    bodies: list[ast.AST] = [part for node in _tries(unit.node) for part in node.body]
    behind = _reached(graph, unit.record.mentions)
    if any(_tries(definitions[name].node) for name in behind):
        bodies.append(unit.node)
    named = {part.id for body in bodies for part in find(body, ast.Name)}
    return named.union(*(definitions[name].record.mentions for name in _reached(graph, named)))


def _reached(graph: Graph, names: Iterable[str]) -> set[str]:
    definitions = graph.namespace.definitions
    found: set[str] = set()
    waiting = [name for name in names if name in definitions]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [used for used in definitions[name].record.mentions if used in definitions]
    return found


def _tries(node: ast.AST, errors: frozenset[str] = _CATCHING) -> list[ast.Try | ast.TryStar]:
    """Returns the `try` statements that look at an error which a missing name may be, or which is one of these."""
    if kinds(node).isdisjoint(_TRIES):
        return []
    found = [part for part in walk(node) if isinstance(part, _TRIES)]
    return [part for part in found if any(_looks(handler, errors) for handler in part.handlers)]


def _looks(handler: ast.ExceptHandler, errors: frozenset[str]) -> bool:
    caught = {part.id for part in find(handler.type, ast.Name)} if handler.type else errors
    if "UnboundLocalError" in caught and handler.type is not None:
        return True  # the notebook does not get there
    parts = [part for statement in handler.body for part in walk(statement)]
    names = {getattr(part, "attr", getattr(part, "id", "")) for part in parts}
    return not caught.isdisjoint(errors) and not names.isdisjoint({handler.name, *_ASKING} - {None})
