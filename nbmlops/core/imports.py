"""Which modules a source text imports, by their dotted names, and which local ones are reached through each other."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping

from nbmlops.core.syntax import parse, walk


def imported_by(source: str, package: str) -> Iterator[str]:
    """Yields the modules that a source imports anywhere, none if it is not Python.

    `from a import b` counts as `a` and as `a.b`, which may be a module too.

    Args:
        source: The text.
        package: The package whose relative imports these are, "" for none.
    """
    if "import" not in source:
        return
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):
        return  # importing it fails in Python's own words
    for node in walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (base := base_of(node, package)):
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if alias.name != "*")


def base_of(node: ast.ImportFrom, package: str) -> str:
    """Returns the absolute name of what is imported from.

    Args:
        node: The statement.
        package: The package whose relative imports count from.
    """
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - node.level + 1] if node.level else []
    return ".".join([*kept, *([node.module] if node.module else [])])


def package_of(module: str, local: Collection[str]) -> str:
    """Returns the package that a local module's relative imports count from.

    Args:
        module: Its dotted name.
        local: The names of all local modules that are imported.
    """
    parent = module.rpartition(".")[0]
    # A module at the top that imports relatively can only be a package.
    return module if not parent or any(other.startswith(f"{module}.") for other in local) else parent


def reached(local: Mapping[str, str], modules: Iterable[str]) -> tuple[str, ...]:
    """Returns the local modules that importing some modules loads, sorted: packages, and all that they import in turn.

    Args:
        local: Sources of the local modules, by dotted name.
        modules: Dotted names of what is imported; names in modules count, too.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or not name:
            continue
        waiting.append(name.rpartition(".")[0])
        if name in local:
            found.add(name)
            waiting += imported_by(local[name], package_of(name, local))
    return tuple(sorted(found))
