"""What compiling reads beside the notebook: the modules that its cells import, from files that stand next to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from nbmlops.core.imports import imported_by
from nbmlops.notebook.model import CellKind, Notebook, RoleKind


def imported_modules(notebook: Notebook) -> tuple[str, ...]:
    """Returns the modules that the notebook's cells import anywhere, dotted, sorted; cells that are skipped left out.

    `from a import b` counts as `a` and as `a.b`, which may be a module too.
    """
    cells = (c for c in notebook.cells if c.kind is CellKind.CODE and c.role.kind is not RoleKind.SKIP)
    return tuple(sorted({module for cell in cells for module in imported_by(cell.python, "")}))


def local_modules(folder: Path, modules: Iterable[str]) -> Mapping[str, str]:
    """Returns dotted name -> source of the modules under `folder` that are imported, those that they import included.

    Args:
        folder: The notebook's folder: what Python sees first when the notebook runs.
        modules: Dotted names, as `imported_modules` gives them.
    """
    sources: dict[str, str] = {}
    waiting = sorted(modules, reverse=True)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or not name:
            continue
        seen.add(name)
        waiting.append(name.rpartition(".")[0])
        path = _module_file(folder, name)
        if path is None:
            continue
        sources[name] = path.read_text("utf-8", "surrogateescape")
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        waiting += imported_by(sources[name], package)
    return dict(sorted(sources.items()))


def _module_file(folder: Path, name: str) -> Path | None:
    base = folder.joinpath(*name.split("."))
    for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
