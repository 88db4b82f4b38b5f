"""Imports that later steps need although they do not mention the name: what importing does stays in the process.

A notebook imports once, and everything below finds what that did: an experimental class that is allowed now, an
accessor that data frames have, a colormap, a style, a submodule that is an attribute of its package. A step is a
process of its own. It repeats those imports of the notebook that are not known to be quiet, and those that load a
submodule which its code reaches through the package.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from nbmlops.analysis.graph import Graph, StepNode
from nbmlops.analysis.imports.quiet_modules import is_quiet
from nbmlops.analysis.model import SETUP_STEP, ImportedName, StatementKind
from nbmlops.analysis.namespace import imported_names
from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import find
from nbmlops.notebook.model import RoleKind

# Packages that load all their submodules by themselves, or as soon as one is asked for.
_WHOLE = frozenset({"nbmlops", "numpy", "os", "pandas", "polars", "scipy", "sklearn", "torch"})
_COLORMAPS = {
    "seaborn": frozenset(
        name + end for name in ("rocket", "mako", "icefire", "vlag", "flare", "crest") for end in ("", "_r")
    )
}


class EffectImports(Struct, frozen=True):
    """The imports that are repeated for what they do.

    Attributes:
        steps: For each step, in the notebook's order.
        helpers: For the module of functions and constants.
        settings: For the module of settings.
    """

    steps: Mapping[str, tuple[ImportedName, ...]]
    helpers: tuple[ImportedName, ...] = ()
    settings: tuple[ImportedName, ...] = ()


def imports_for_effect(graph: Graph) -> EffectImports:
    """Returns which imports each module repeats although it does not mention their names."""
    found = [(unit, imported) for unit in graph.units for imported in _imported(unit)]
    loud = {i for _, i in found if not is_quiet(i.module, i.attribute, graph.local_modules)}
    roots = _roots(graph, [imported for _, imported in found])
    steps: dict[str, tuple[ImportedName, ...]] = {}
    homes = {"", SETUP_STEP}
    for step in graph.steps:
        homes.add(step.name)
        # An import that runs in the step's own code does its work there.
        above = [i for unit, i in found if unit.home in homes and not (unit.kind is _CODE and unit.home == step.name)]
        code = _Code(_nodes(graph, step), roots)
        steps[step.name] = _wanted(above, code, _mentioned_imports(graph, step), loud)
    definitions = [unit for name, unit in graph.namespace.definitions.items() if name in graph.definitions]
    behind = _Code([unit.node for unit in definitions], roots)
    mentioned = {name for unit in definitions for name in unit.record.mentions} & graph.namespace.imports.keys()
    packages = {_package(i.module) for name in mentioned for i in graph.namespace.imports[name]}
    everything = [imported for _, imported in found]
    helpers = _wanted(everything, behind, mentioned, {i for i in loud if _package(i.module) in packages})
    shared = [imported for unit, imported in found if unit.cell.role.kind in {RoleKind.SHARED, RoleKind.SETUP}]
    settings = [unit for unit in graph.units if unit.kind is StatementKind.SETTING]
    named = {name for unit in settings for name in unit.record.mentions}
    applied = _wanted(shared, _Code([unit.node for unit in settings], roots), named, loud) if settings else ()
    return EffectImports(steps, helpers, applied)


_CODE = StatementKind.CODE


class _Code:
    """What is reached through names that stand for packages, and which strings are written, looked up when asked for.

    Args:
        nodes: The code.
        roots: Imported name -> package, of packages some of whose submodules the notebook imports.
    """

    def __init__(self, nodes: Sequence[ast.AST], roots: dict[str, str]) -> None:
        self._nodes, self._roots = nodes, roots
        self._paths: frozenset[str] | None = None
        self._texts: frozenset[str] | None = None

    def reaches(self, imported: ImportedName) -> bool:
        """Returns whether the code goes through a submodule that the import may load."""
        if not self._roots:
            return False
        if self._paths is None:
            self._paths = frozenset(self._reached())
        return not self._paths.isdisjoint(_loaded(imported))

    def mentions_any(self, texts: Collection[str]) -> bool:
        """Returns whether one of the texts stands in the code as a string."""
        if self._texts is None:
            parts = (part.value for node in self._nodes for part in find(node, ast.Constant))
            self._texts = frozenset(value for value in parts if isinstance(value, str))
        return not self._texts.isdisjoint(texts)

    def _reached(self) -> Iterator[str]:
        for node in self._nodes:
            yield from map(self._path, find(node, ast.Attribute))

    def _path(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return self._roots.get(name, "")
            case ast.Attribute(value=value, attr=attribute):
                below = self._path(value)
                return f"{below}.{attribute}" if below else ""
            case _:
                return ""


def _wanted(
    imports: Sequence[ImportedName], code: _Code, mentioned: Collection[str], loud: Collection[ImportedName]
) -> tuple[ImportedName, ...]:
    """Returns the imports to repeat, of which those that the code mentions by their names need not be.

    Args:
        imports: All that have run by then.
        code: What needs them.
        mentioned: Imported names that it mentions.
        loud: Those that count because they are not known to be quiet.
    """
    chosen = [
        imported
        for imported in imports
        if imported.name not in mentioned
        and (
            imported in loud
            or code.reaches(imported)
            or ((colors := _COLORMAPS.get(_package(imported.module))) and code.mentions_any(colors))
        )
    ]
    by_effect = {(imported.module, imported.attribute): imported for imported in reversed(chosen)}
    return tuple(reversed(by_effect.values()))


def _imported(unit: Unit) -> list[ImportedName]:
    return imported_names(unit) if isinstance(unit.node, ast.Import | ast.ImportFrom) else []


def _nodes(graph: Graph, step: StepNode) -> list[ast.AST]:
    rebuilt = [graph.namespace.definitions[name] for name in step.closure if name in graph.namespace.definitions]
    return [unit.node for unit in (*step.units, *rebuilt)]


def _mentioned_imports(graph: Graph, step: StepNode) -> set[str]:
    return set(step.mentions) & graph.namespace.imports.keys()


def _roots(graph: Graph, imports: Iterable[ImportedName]) -> dict[str, str]:
    """Returns the names that stand for packages of which another import loads a submodule."""
    loaded = {module for imported in imports for module in _loaded(imported)}
    packages = {module.rpartition(".")[0] for module in loaded if _package(module) not in _WHOLE}
    packages |= {module.rpartition(".")[0] for module in packages}
    return {
        name: path for name, path in graph.namespace.paths.items() if path in packages and _package(path) not in _WHOLE
    }


def _loaded(imported: ImportedName) -> list[str]:
    """Returns the submodules that an import may load, as far as their package does not have them anyway."""
    parts = [*imported.module.split("."), *([imported.attribute] if imported.attribute else [])]
    return [".".join(parts[:length]) for length in range(2, len(parts) + 1)]


def _package(module: str) -> str:
    return module.partition(".")[0]
