"""Code that travels with values: the notebook's own classes and functions that an object refers to.

A value is known by its content, and pickle says of a class only its name. A step that calls `model.predict(x)` reaches
the method through the value alone, so the code behind the value is part of what the step depends on.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_json


def carried_code(referred: Iterable[object], package: str) -> str:
    """Returns a digest of the definitions of the package that are referred to, "" if there are none.

    Covered is what these definitions reach in their module; comments and formatting do not count.

    Args:
        referred: Classes and functions.
        package: The generated package; the versions and files of other modules are recorded by themselves.
    """
    names: dict[str, set[str]] = {}
    for item in referred:
        module = getattr(item, "__module__", None)
        if isinstance(module, str) and module.partition(".")[0] == package:
            names.setdefault(module, set()).add(str(getattr(item, "__qualname__", "")).partition(".")[0])
    return digest_json({module: _trees(module, names[module]) for module in sorted(names)}) if names else ""


def _trees(module: str, names: Iterable[str]) -> Json:
    """Returns the syntax trees of the statements of a module that bind the names, and of all that those mention."""
    file = getattr(sys.modules.get(module), "__file__", None)
    binding = _bindings(ast.parse(Path(file).read_bytes())) if file else {}
    waiting, found = list(names), dict[str, Json]()
    while waiting:
        name = waiting.pop()
        if name not in binding or name in found:
            continue
        found[name] = [ast.dump(statement) for statement in binding[name]]
        waiting += {n.id for statement in binding[name] for n in ast.walk(statement) if isinstance(n, ast.Name)}
    return found


def _bindings(tree: ast.Module) -> Mapping[str, list[ast.stmt]]:
    binding: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _bound(statement):
            binding.setdefault(name, []).append(statement)
    return binding


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    nodes = list(ast.walk(statement))
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {(n.asname or n.name).partition(".")[0] for n in nodes if isinstance(n, ast.alias)}
