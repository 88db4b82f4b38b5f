"""NB219: module beside the notebook that keeps state, used in several steps.

Steps run in processes of their own, so what a function of such a module remembers in a variable of the module is lost
between them, while the notebook keeps it. Attributes of its classes count as well. A dictionary that is only filled by
`CACHE[key] = value` is taken for a memory of results that can be computed again, unless the notebook looks into it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from msgspec import Struct

from nbmlops.analysis.flow.scope import collect_names
from nbmlops.analysis.graph import Graph, Place, StepNode
from nbmlops.analysis.imports.definitions import closure
from nbmlops.analysis.model import SETUP_STEP
from nbmlops.analysis.statements import Unit
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.core.syntax import parse, walk

CODE = "NB219"
_METHODS = "add append appendleft clear discard extend insert pop popitem popleft remove reverse sort update"
_CHANGING = frozenset(_METHODS.split())
_OF_CLASS = frozenset({"cls"})


class _Module(Struct, frozen=True):
    """The variables of a module, and which of them each of its functions and classes touches and changes."""

    variables: frozenset[str]
    touched: Mapping[str, frozenset[str]]
    changed: Mapping[str, frozenset[str]]
    filled: Mapping[str, frozenset[str]]


class _Use(Struct, frozen=True):
    """Code of the notebook that uses something of a module: what it touches, changes and fills there."""

    place: Place
    path: str
    touched: frozenset[str]
    changed: frozenset[str]
    filled: frozenset[str]


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at the first use that changes what a later step sees too."""
    modules = {name: _read(source) for name, source in graph.local_modules.items()}
    if not modules:
        return
    uses = {SETUP_STEP: list(_of_decorators(graph, SETUP_STEP, modules))}
    uses |= {step.name: list(_uses(graph, step, modules)) for step in graph.steps}
    named = frozenset(use.path for found in uses.values() for use in found)
    reported: set[str] = set()
    for position, step in enumerate(uses):
        for use in uses[step]:
            for later in list(uses)[position + 1 :]:
                changed = use.changed | (use.filled & named)
                shared = changed & frozenset().union(*(other.touched for other in uses[later]))
                if shared and min(shared) not in reported:
                    reported.add(min(shared))
                    yield graph.error(
                        CODE,
                        use.place,
                        f"'{use.path}' changes '{min(shared)}', a variable of a module, "
                        f"which is lost between the steps '{step}' and '{later}'",
                        "keep the state in a variable of the notebook, and hand it to the function as an argument",
                    )


def _uses(graph: Graph, step: StepNode, modules: Mapping[str, _Module]) -> Iterator[_Use]:
    behind = [graph.namespace.definitions[name] for name in sorted(step.closure & graph.definitions.keys())]
    for unit in dict.fromkeys([*step.units, *behind]):
        yield from _uses_in(graph, unit, unit.node, modules)
    yield from _of_decorators(graph, step.name, modules)


def _of_decorators(graph: Graph, step: str, modules: Mapping[str, _Module]) -> Iterator[_Use]:
    """Yields the uses by what runs where functions and classes are defined, whoever calls them."""
    for unit in graph.units:
        if unit.home == step and isinstance(unit.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in unit.node.decorator_list:
                yield from _uses_in(graph, unit, decorator, modules)


def _uses_in(graph: Graph, unit: Unit, tree: ast.AST, modules: Mapping[str, _Module]) -> Iterator[_Use]:
    changed_here = {id(owner) for part in walk(tree) for owner in _changed_by(part)}
    for part in walk(tree):
        path = _path(graph, part)
        module, _, name = path.rpartition(".")
        if module not in modules:
            continue
        found = modules[module]
        variable = found.variables & {name}
        touched, changed = found.touched.get(name, variable), found.changed.get(name, frozenset())
        changed |= variable if id(part) in changed_here else frozenset()
        filled = found.filled.get(name, frozenset())
        yield _Use(Place(unit, part), path, *(_qualified(module, names) for names in (touched, changed, filled)))


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
        return _Module(frozenset(), {}, {}, {})  # Python says so when the module is imported
    definitions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    statements = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
    variables = frozenset(collect_names(statements).bound) - definitions.keys()
    mentions = {name: {p.id for p in walk(node) if isinstance(p, ast.Name)} for name, node in definitions.items()}
    changes = {name: _changes(node) for name, node in definitions.items()}
    classes = {name for name, node in definitions.items() if isinstance(node, ast.ClassDef)}
    variables |= classes & set[str]().union(*changes.values())
    uses = {name: found & definitions.keys() for name, found in mentions.items()}
    touched = {name: (found | {name}) & variables for name, found in mentions.items()}
    changed = {name: found & variables for name, found in changes.items()}
    filled = {name: _fills(node) & variables for name, node in definitions.items()}
    return _Module(variables, *(_with_callees(found, uses) for found in (touched, changed, filled)))


def _with_callees(found: Mapping[str, set[str]], uses: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset[str]().union(*(found[used] for used in closure(uses, [name]))) for name in found}


def _changes(definition: ast.AST) -> set[str]:
    """Returns the names that a definition changes and does not own."""
    parts = list(walk(definition))
    declared = {name for part in parts if isinstance(part, ast.Global) for name in part.names}
    stored = {part.id for part in parts if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}
    own = (stored | {part.arg for part in parts if isinstance(part, ast.arg)}) - declared
    roots = {_root(owner) for part in parts for owner in (*_changed_by(part), *_set_on(part))}
    of_class = {definition.name} if isinstance(definition, ast.ClassDef) and roots & _OF_CLASS else set[str]()
    return (roots - own) | (declared & stored) | of_class


def _fills(definition: ast.AST) -> set[str]:
    """Returns the names whose items a definition sets."""
    targets = [t for part in walk(definition) if isinstance(part, ast.Assign) for t in part.targets]
    return {_root(target.value) for target in targets if isinstance(target, ast.Subscript)}


def _root(owner: ast.AST) -> str:
    """Returns the name that a chain of attributes begins with; "cls" for the class of an object."""
    while isinstance(owner, ast.Attribute):
        if owner.attr == "__class__":
            return "cls"
        owner = owner.value
    match owner:
        case ast.Name(id=name):
            return name
        case ast.Call(func=ast.Name(id="type")):
            return "cls"
        case _:
            return ""


def _set_on(node: ast.AST) -> list[ast.expr]:
    """Returns the expressions of which a statement sets an attribute."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.value for target in targets if isinstance(target, ast.Attribute)]


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
