"""NB404: environment changed after a module has read it.

A module beside the notebook that reads environment variables while it is imported keeps what it has read. Each step
imports it again, so a later change of the environment would reach the module in the steps after it, which it does not
in the notebook.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place, StepNode
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.core.syntax import children, parse

CODE = "NB404"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each such change."""
    readers = {name for name, source in graph.local_modules.items() if _reads_environment(source)}
    if not readers:
        return
    order = {unit: position for position, unit in enumerate(graph.units)}
    modules = {name: module for name, path in graph.namespace.paths.items() if (module := _module_of(path, readers))}
    imported = {name: min(order[binding.unit] for binding in graph.namespace.bindings[name]) for name in modules}
    for position, step in enumerate(graph.steps):
        used = set[str]().union(*(_used(graph, later) for later in graph.steps[position + 1 :]))
        for unit in step.units:
            found = sorted(name for name in used & modules.keys() if imported[name] < order[unit])
            for path, node in unit.record.settings.items():
                if found and path.startswith(("os.environ", "dotenv.load_dotenv")):
                    module = modules[found[0]]
                    yield graph.error(
                        CODE,
                        Place(unit, node),
                        f"the module '{module}' has read the environment when it was imported; "
                        f"later steps import it again, after this change (`{path}`)",
                        f"set the variable above the import of '{module}', or read it in a function of the module",
                    )


def _used(graph: Graph, step: StepNode) -> set[str]:
    """Returns the imported names that the step refers to, those of the functions it uses included."""
    behind = (graph.definitions[name].imports for name in step.closure if name in graph.definitions)
    return set(step.mentions).union(*behind)


def _module_of(path: str, modules: set[str]) -> str:
    return next((name for name in sorted(modules) if path == name or path.startswith(f"{name}.")), "")


def _reads_environment(source: str) -> bool:
    """Returns whether importing the module reads environment variables by itself."""
    try:
        waiting: list[ast.AST] = [parse(source)]
    except (SyntaxError, ValueError):
        return False  # Python says so when the module is imported
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
            return True
        if isinstance(node, ast.Name) and node.id in {"environ", "getenv"}:
            return True
        waiting += [child for child in children(node) if not isinstance(child, _FUNCTIONS)]
    return False
