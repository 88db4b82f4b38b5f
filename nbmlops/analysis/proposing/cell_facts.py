"""What proposing steps knows of each code cell: its statements as a whole, what it is for, and what lives around it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.analysis.graph import Graph
from nbmlops.analysis.proposing.work import CellWork, makers_of, work_of
from nbmlops.analysis.statements import Unit
from nbmlops.notebook.model import Cell
from nbmlops.notebook.retag import can_begin_step

_SEEDS = frozenset({
    "random.seed", "numpy.random.seed", "torch.manual_seed", "tensorflow.random.set_seed", "torch.cuda.manual_seed",
})  # fmt: skip


class Content(StrEnum):
    """What a cell holds. `PREAMBLE`: imports together with settings, literals, seeds and definitions."""

    IMPORTS = "imports"
    FUNCTIONS = "functions"
    LITERALS = "literals"
    PREAMBLE = "preamble"
    CODE = "code"


class CellFacts(Struct, frozen=True):
    """One code cell that can belong to a step.

    Attributes:
        cell: The cell.
        content: What it holds.
        work: What it is for.
        reads: Names of data that it needs from above.
        binds: Names that it binds on every path.
        writes: Names that it may bind or whose values it may change.
        shows_only: Whether it leaves nothing behind that a later cell could read.
        live: Names that cells from here on read and cells above have made.
    """

    cell: Cell
    content: Content
    work: CellWork
    reads: frozenset[str]
    binds: frozenset[str]
    writes: frozenset[str]
    shows_only: bool
    live: frozenset[str] = frozenset()


def cell_facts(graph: Graph) -> tuple[CellFacts, ...]:
    """Returns the facts about all cells at which a step can begin, in order.

    Args:
        graph: The notebook with all its code in one step.
    """
    paths = dict(graph.namespace.paths)
    makers = makers_of(graph.units, paths)
    data = frozenset(graph.namespace.data)
    by_cell: dict[int, list[Unit]] = {}
    for unit in graph.units:
        by_cell.setdefault(unit.cell.number, []).append(unit)
    facts = [
        _facts(cell, sorted(by_cell.get(cell.number, ()), key=Unit.place), graph, makers, data)
        for cell in graph.notebook.cells
        if can_begin_step(cell)
    ]
    return with_live_names(facts)


def _facts(
    cell: Cell, units: Sequence[Unit], graph: Graph, makers: Mapping[str, str], data: frozenset[str]
) -> CellFacts:
    reads: set[str] = set()
    binds: set[str] = set()
    writes: set[str] = set()
    for unit in units:
        effects = unit.effects
        reads |= (effects.reads | effects.mutates) - binds
        binds = (binds | effects.binds) - effects.deletes
        writes |= effects.may_bind | effects.mutates | effects.deletes
    binds = set() if cell.may_raise else binds
    return CellFacts(
        cell,
        Content.CODE if cell.may_raise else content_of(units, graph.namespace.paths, data),
        work_of(units, graph.namespace.paths, makers),
        frozenset(reads) & data,
        frozenset(binds) & data,
        frozenset(writes) & data,
        shows_only=not writes & data and not any(unit.record.settings or unit.record.api for unit in units),
    )


def with_live_names(facts: Sequence[CellFacts]) -> tuple[CellFacts, ...]:
    """Returns the facts with the names that live above each cell: made by a cell above, read from there on."""
    made: list[frozenset[str]] = [frozenset()]
    for fact in facts:
        made.append(made[-1] | fact.writes)
    live: frozenset[str] = frozenset()
    found: list[CellFacts] = []
    for fact, before in zip(reversed(facts), reversed(made[:-1]), strict=True):
        live = (live - fact.binds) | fact.reads
        found.append(replace(fact, live=live & before))
    return tuple(reversed(found))


def content_of(units: Iterable[Unit], paths: Mapping[str, str], data: frozenset[str]) -> Content:
    """Returns what the statements of a cell are, all of them together.

    Args:
        units: The statements.
        paths: Imported name -> dotted path.
        data: Names of the notebook's data.
    """
    kinds = {kind for unit in units if (kind := _content(unit, paths, data)) is not None}
    if not kinds:
        return Content.CODE
    if kinds == {Content.IMPORTS, Content.FUNCTIONS}:
        return Content.FUNCTIONS
    if len(kinds) == 1:
        return kinds.pop() if Content.PREAMBLE not in kinds else Content.PREAMBLE
    return Content.CODE if Content.CODE in kinds else Content.PREAMBLE


def _content(unit: Unit, paths: Mapping[str, str], data: frozenset[str]) -> Content | None:
    """Returns what one statement is; None for a docstring, which is nothing."""
    node = unit.node
    used = (unit.effects.reads | unit.effects.mutates) & data
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and not unit.shows:
        return None
    if isinstance(node, ast.Import | ast.ImportFrom):
        return Content.IMPORTS
    if unit.defines() and not used:  # defaults and decorators run where the definition stands
        return Content.FUNCTIONS
    if literal_assignment(node) is not None:
        return Content.LITERALS
    is_seed = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _is_seed(node.value, paths)
    sets = bool(unit.record.settings) and not used and not unit.effects.may_bind and not unit.tells_setting
    return Content.PREAMBLE if is_seed or sets else Content.CODE


def _is_seed(call: ast.Call, paths: Mapping[str, str]) -> bool:
    parts = ast.unparse(call.func).split(".")
    return ".".join([paths.get(parts[0], ""), *parts[1:]]) in _SEEDS


def literal_assignment(node: ast.stmt) -> tuple[str, object] | None:
    """Returns the name that a statement binds to a literal, and its value; None for any other statement."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            try:
                return name, ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                return None
        case _:
            return None
