"""Modules beside the notebook that show something when they are imported: later steps import them again, silently.

A notebook imports a module once. Each step is a process of its own, in which a module that prints would print anew.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from nbmlops.analysis.graph import Graph
from nbmlops.analysis.model import SETUP_STEP

_WORDS = ("print", "display", "stdout", "stderr", "warn", "logging")


def shown_before(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Returns for each step the modules whose import has shown something in a step before it, or may have."""
    talking = {module for module in graph.local_modules if _talks(module, graph.local_modules, set())}
    found: dict[str, tuple[str, ...]] = {}
    shown: set[str] = set()
    shared = {"", SETUP_STEP}
    for step in graph.steps:
        found[step.name] = tuple(sorted(shown))
        for unit in graph.units if talking else ():
            if unit.home == step.name or unit.home in shared:
                shown |= talking & set(_imported(unit.node))
        shared = set()
    return found


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
            paths = [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            paths = [f"{module}.{alias.name}" for alias in names]
        case _:
            return
    for path in paths:
        parts = path.split(".")
        yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
