"""NB219: module beside the notebook that keeps state, used in several steps.

Steps run in processes of their own, so what a function of such a module remembers in a variable of the module is lost
between them, while the notebook keeps it. A dictionary that is only filled by `CACHE[key] = value` is taken for a
memory of results that can be computed again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nbmlops.analysis.definitions import closure
from nbmlops.analysis.graph import Graph, Place, StepNode
from nbmlops.analysis.scope import collect_names
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.core.syntax import parse, walk

CODE = "NB219"
_METHODS = "add append appendleft clear discard extend insert pop popitem popleft remove reverse sort update"
_CHANGING = frozenset(_METHODS.split())


@dataclass(frozen=True, slots=True)
class _Module:
    """The variables of a module, and which of them each of its functions and classes touches and changes."""

    variables: frozenset[str]
    touched: Mapping[str, frozenset[str]]
    changed: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Use:
    """Code of the notebook that uses something of a module: what it touches and changes there."""

    place: Place
    path: str
    touched: frozenset[str]
    changed: frozenset[str]


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at the first use that changes what a later step sees too."""
    modules = {name: _read(source) for name, source in graph.local_modules.items()}
    uses = {step.name: list(_uses(graph, step, modules)) for step in graph.steps} if modules else {}
    reported: set[str] = set()
    for position, step in enumerate(graph.steps):
        for use in uses.get(step.name, ()):
            for later in graph.steps[position + 1 :]:
                shared = use.changed & frozenset().union(*(other.touched for other in uses[later.name]))
                if shared and min(shared) not in reported:
                    reported.add(min(shared))
                    yield graph.error(
                        CODE,
                        use.place,
                        f"'{use.path}' changes '{min(shared)}', a variable of a module, "
                        f"which is lost between the steps '{step.name}' and '{later.name}'",
                        "keep the state in a variable of the notebook, and hand it to the function as an argument",
                    )


def _uses(graph: Graph, step: StepNode, modules: Mapping[str, _Module]) -> Iterator[_Use]:
    behind = [graph.namespace.definitions[name] for name in sorted(step.closure & graph.definitions.keys())]
    for unit in dict.fromkeys([*step.units, *behind]):
        changed_here = {id(owner) for part in walk(unit.node) for owner in _changed_by(part)}
        for part in walk(unit.node):
            path = _path(graph, part)
            module, _, name = path.rpartition(".")
            if module not in modules:
                continue
            found = modules[module]
            variable = found.variables & {name}
            touched, changed = found.touched.get(name, variable), found.changed.get(name, frozenset())
            changed |= variable if id(part) in changed_here else frozenset()
            yield _Use(Place(unit, part), path, _qualified(module, touched), _qualified(module, changed))


def _qualified(module: str, names: frozenset[str]) -> frozenset[str]:
    return frozenset(f"{module}.{name}" for name in names)


def _path(graph: Graph, node: ast.AST) -> str:
    """Returns the dotted path of what an import brought, or ""."""
    match node:
        case ast.Name(id=name):
            return graph.namespace.paths.get(name, "")
        case ast.Attribute(value=value, attr=attribute):
            below = _path(graph, value)
            return f"{below}.{attribute}" if below else ""
        case _:
            return ""


def _read(source: str) -> _Module:
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):
        return _Module(frozenset(), {}, {})  # Python says so when the module is imported
    definitions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    statements = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
    variables = frozenset(collect_names(statements).bound) - definitions.keys()
    mentions = {name: {p.id for p in walk(node) if isinstance(p, ast.Name)} for name, node in definitions.items()}
    changed = {name: _changes(node) & variables for name, node in definitions.items()}
    uses = {name: found & definitions.keys() for name, found in mentions.items()}
    touched = {name: found & variables for name, found in mentions.items()}
    return _Module(variables, _with_callees(touched, uses), _with_callees(changed, uses))


def _with_callees(found: Mapping[str, set[str]], uses: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset[str]().union(*(found[used] for used in closure(uses, [name]))) for name in found}


def _changes(definition: ast.AST) -> set[str]:
    """Returns the names that a definition changes and does not own."""
    parts = list(walk(definition))
    declared = {name for part in parts if isinstance(part, ast.Global) for name in part.names}
    stored = {part.id for part in parts if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}
    own = (stored | {part.arg for part in parts if isinstance(part, ast.arg)}) - declared
    roots = {owner.id for part in parts for owner in _changed_by(part) if isinstance(owner, ast.Name)}
    return (roots - own) | (declared & stored)


def _changed_by(node: ast.AST) -> list[ast.expr]:
    """Returns the expressions whose value a call or a statement changes."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in _CHANGING:
            return [value]
        case ast.Call(func=ast.Name(id="next"), args=[value, *_]):
            return [value]
        case ast.AugAssign(target=ast.Subscript(value=value) | ast.Attribute(value=value)):
            return [value]
        case ast.Delete(targets=targets):
            return [target.value for target in targets if isinstance(target, ast.Subscript)]
        case _:
            return []
