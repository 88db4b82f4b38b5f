"""Modules that show something when they are imported: later steps import them again, silently.

A notebook imports a module once. Each step is a process of its own, in which a module that prints would print anew. Of
modules beside the notebook the source tells whether they print. Libraries that are not known count as if they did.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nbmlops.analysis.graph import Graph
from nbmlops.analysis.imports.quiet_modules import is_known
from nbmlops.analysis.model import SETUP_STEP, ImportedName, StepFacts

_WORDS = ("print", "display", "stdout", "stderr", "warn", "logging")
# Known libraries that greet, warn, or tell about the machine.
_TELLING = """
    bokeh datasets gym gymnasium jax keras kaggle pgmpy pyspark sentence_transformers shap spacy surprise tensorflow
    tensorflow_datasets torch torchvision transformers umap wandb
"""
_MAY_TELL = frozenset(_TELLING.split())
_PRINTS = frozenset({"this", "antigravity"})


def shown_before(
    graph: Graph, facts: Sequence[StepFacts], repeated: Mapping[str, tuple[ImportedName, ...]]
) -> dict[str, tuple[str, ...]]:
    """Returns for each step the modules whose import has shown something in a step before it, or may have.

    Args:
        graph: The notebook.
        facts: What each step imports.
        repeated: The imports that each step repeats for what they do.
    """
    talking = {module for module in graph.local_modules if _talks(module, graph.local_modules, set())}
    own = {module.partition(".")[0] for module in graph.local_modules}
    found: dict[str, tuple[str, ...]] = {}
    shown: set[str] = set()
    libraries: set[str] = set()
    shared = {"", SETUP_STEP}
    for step in facts:
        imported = _taken(graph, step, repeated[step.name])
        may_show = {module for module in imported if _may_show(module, own)}
        found[step.name] = tuple(sorted(shown | (libraries & may_show)))
        libraries |= may_show
        for unit in graph.units if talking else ():
            if unit.home == step.name or unit.home in shared:
                shown |= talking & set(_imported(unit.node))
        shared = set()
    return found


def _taken(graph: Graph, step: StepFacts, repeated: Iterable[ImportedName]) -> set[str]:
    """Returns the modules that the process of a step imports."""
    names = set(step.imports)
    if step.definitions:  # all of them live in one module
        names |= {name for definition in graph.definitions.values() for name in definition.imports}
    imports = [*repeated, *(i for name in names for i in graph.namespace.imports.get(name, ()))]
    return {module for imported in imports for module in _paths(imported.module, imported.attribute)}


def _may_show(module: str, own: set[str]) -> bool:
    """Returns whether importing a module that is not beside the notebook may show something."""
    package = module.partition(".")[0]
    if package in own or (package in sys.stdlib_module_names and package not in _PRINTS):
        return False
    return not is_known(package) or package in _MAY_TELL


def _talks(module: str, local: Mapping[str, str], asked: set[str]) -> bool:
    """Returns whether importing a module may show something, itself or through another local one."""
    asked.add(module)
    source = local[module]
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False  # importing it will say so
    if any(word in source for word in _WORDS) and any(_calls(statement) for statement in tree.body):
        return True
    inner = {name for statement in tree.body for name in _imported(statement)} & local.keys() - asked
    return any(_talks(name, local, asked) for name in sorted(inner))


def _calls(statement: ast.stmt) -> bool:
    """Returns whether a statement of a module calls something when the module is imported."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Import | ast.ImportFrom):
        return False
    if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
        return False
    if isinstance(statement, ast.ClassDef):
        return any(_calls(inner) for inner in statement.body)
    return any(isinstance(part, ast.Call) for part in ast.walk(statement))


def _imported(statement: ast.stmt) -> Iterator[str]:
    """Yields the modules that a statement may load; names of a package count, as they may be modules."""
    match statement:
        case ast.Import(names=names):
            for alias in names:
                yield from _paths(alias.name)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            for alias in names:
                yield from _paths(module, alias.name)
        case _:
            pass


def _paths(module: str, attribute: str = "") -> Iterator[str]:
    """Yields what is loaded: packages from the outermost on, then the module, then the attribute, if that is one."""
    parts = [*module.split("."), *([attribute] if attribute else [])]
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
