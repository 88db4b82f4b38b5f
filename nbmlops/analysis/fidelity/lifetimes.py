"""Steps in which it matters when objects go: `__del__` that does something, weak references, arrays resized in place.

In the notebook an object lives as long as its name. A step function hands over what later steps read, and all else
goes when it returns: a `__del__` would run too early, a weak reference would be empty. From the first step on that has
to do with either, names therefore stay where they are: the steps run verbatim, and in one process as far as such
objects live.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, StepNode
from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import find


def lifetime_reasons(graph: Graph) -> dict[str, str]:
    """Returns why the names of a step stay in one namespace, for each step where that matters."""
    modules = {name for name, source in graph.local_modules.items() if _module_reason(source)}
    found: dict[str, str] = {}
    first = ""
    for step in graph.steps:
        reason = next(_reasons(graph, step, modules), "")
        if reason or first:
            found[step.name] = reason or f"objects of step '{first}' may go here"
        first = first or (step.name if reason else "")
    return found


def _reasons(graph: Graph, step: StepNode, modules: set[str]) -> Iterator[str]:
    known = graph.namespace.definitions | graph.namespace.constants
    behind = {known[name] for name in step.closure if name in known}
    for unit in sorted({*step.units, *behind}, key=Unit.place):
        if what := _in_tree(unit.node) or _by_path(graph, unit, modules) or _resizes(unit):
            yield f"cell {unit.cell.number}: {what}"


def _in_tree(node: ast.AST) -> str:
    for part in find(node, ast.ClassDef):
        for inner in part.body:
            if isinstance(inner, ast.FunctionDef) and inner.name == "__del__":
                return f"objects of class '{part.name}' do something when they go"
    return ""


def _resizes(unit: Unit) -> str:
    """Returns what a statement such as `array.resize(9)` asks, unless it may be there to show a picture."""
    match unit.node:
        case ast.Expr(ast.Call(func=ast.Attribute(attr="resize"), args=[first, *_], keywords=named)):
            is_array = not unit.last_of_cell or not isinstance(first, ast.Tuple | ast.Name)
            asks = is_array and all(keyword.arg != "refcheck" for keyword in named)
            return "an array that is resized in place must not be held elsewhere" if asks else ""
        case _:
            return ""


def _by_path(graph: Graph, unit: Unit, modules: set[str]) -> str:
    paths = (graph.namespace.paths.get(name, "") for name in unit.record.mentions)
    for path in sorted(filter(None, paths)):
        if path.partition(".")[0] == "weakref":
            return "a weak reference ends with the object"
        if any(path == module or path.startswith(f"{module}.") for module in modules):
            return f"objects of '{path}' do something when they go"
    return ""


def _module_reason(source: str) -> str:
    if "__del__" not in source:
        return ""
    try:
        return _in_tree(ast.parse(source))
    except (SyntaxError, ValueError):
        return ""  # Python says so when the module is imported
