"""Star imports, written out: `from math import *` becomes `from math import pi, sqrt`, the names that are used.

Comes in: a notebook, and what each module's star import gives, which somebody has asked the project's environment.
Goes out: the notebook with plain imports on the same lines, so that every later pass sees Python's ordinary rules of
binding. A star import of a module whose names are not known stays as it is, and rule NB201 refuses it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.analysis.fidelity.hidden import names_in_expression, names_in_query
from nbmlops.analysis.steps import home_of
from nbmlops.core.syntax import parse, walk
from nbmlops.notebook.model import Cell, CellKind, Notebook, RoleKind

StarNames = Mapping[str, tuple[str, ...]]
_CALLED_IN_FORMULA = re.compile(r"([^\W\d]\w*)\s*[.(]")


class _Star(Struct, frozen=True):
    """One star import: where it stands and which step it runs in."""

    cell: int
    home: str
    node: ast.ImportFrom

    def place(self) -> tuple[int, int]:
        """Returns cell number and line."""
        return self.cell, self.node.lineno


def star_modules(notebook: Notebook) -> tuple[str, ...]:
    """Returns the modules of the notebook's star imports, sorted; relative ones begin with dots."""
    return tuple(sorted({_module(node) for cell in _counted(notebook) for node in _stars(cell.python)}))


def expand_stars(notebook: Notebook, names: StarNames) -> Notebook:
    """Returns the notebook with its star imports written out, as far as the names of their modules are known.

    Args:
        notebook: As the reader made it.
        names: Module -> what `from module import *` binds.
    """
    homes = home_of(notebook)
    stars = [
        _Star(cell.number, homes[cell.number], node)
        for cell in _counted(notebook)
        for node in _stars(cell.python)
        if _module(node) in names
    ]
    if not stars:
        return notebook
    mentions = {cell.number: _mentions(cell.python) for cell in _counted(notebook)}
    used = frozenset(name for found in mentions.values() for name, _ in found)
    given = {id(star): used & set(names[_module(star.node)]) for star in stars}
    for position, star in enumerate(stars):
        for later in stars[position + 1 :]:
            if later.home == star.home:
                between = _between(star, later, mentions, homes)
                given[id(star)] -= given[id(later)] - between
    by_cell: dict[int, list[_Star]] = {}
    for star in stars:
        by_cell.setdefault(star.cell, []).append(star)
    cells = [_written_out(cell, by_cell.get(cell.number, []), given) for cell in notebook.cells]
    return replace(notebook, cells=tuple(cells))


def _counted(notebook: Notebook) -> Iterator[Cell]:
    for cell in notebook.cells:
        if cell.kind is CellKind.CODE and cell.role.kind is not RoleKind.SKIP:
            yield cell


def _module(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def _parsed(source: str) -> ast.Module:
    try:
        return parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])  # the reader has reported the cell


def _stars(source: str) -> list[ast.ImportFrom]:
    if "*" not in source or "import" not in source:
        return []
    nodes = (node for node in walk(_parsed(source)) if isinstance(node, ast.ImportFrom))
    return sorted((n for n in nodes if n.names[0].name == "*"), key=lambda n: (n.lineno, n.col_offset))


def _mentions(source: str) -> list[tuple[str, int]]:
    """Returns the names that a cell reads, those in query strings and formulas included, each with its line."""
    found: list[tuple[str, int]] = []
    for node in walk(_parsed(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Load() | ast.Del()):
                found.append((name, node.lineno))
            case ast.AugAssign(target=ast.Name(id=name)):
                found.append((name, node.lineno))
            case ast.Constant(value=str(text)) if "~" in text or "@" in text:
                names = (*names_in_query(node), *_CALLED_IN_FORMULA.findall(text))
                found += ((name, node.lineno) for name in names)
            case ast.Call(
                func=ast.Attribute(attr="eval") | ast.Name(id="eval"), args=[ast.Constant(value=str(text)), *_]
            ):
                found += ((name, node.lineno) for name in names_in_expression(text))
            case _:
                pass
    return found


def _between(
    star: _Star, later: _Star, mentions: Mapping[int, Iterable[tuple[str, int]]], homes: Mapping[int, str]
) -> frozenset[str]:
    """Returns the names that the step reads after one star import and before the other."""
    return frozenset(
        name
        for number, found in mentions.items()
        if homes[number] == star.home and star.cell <= number <= later.cell
        for name, line in found
        if star.place() <= (number, line) <= later.place()
    )


def _written_out(cell: Cell, stars: list[_Star], given: Mapping[int, set[str] | frozenset[str]]) -> Cell:
    lines = cell.python.split("\n")
    for star in reversed(stars):
        node = star.node
        names = ", ".join(sorted(given[id(star)]))
        text = f"from {_module(node)} import {names}" if names else "pass"
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        before = lines[first].encode()[: node.col_offset].decode()
        behind = lines[last].encode()[node.end_col_offset or 0 :].decode()
        lines[first : last + 1] = [before + text + behind, *[""] * (last - first)]
    return replace(cell, python="\n".join(lines)) if stars else cell
