"""Gives the code cells of a notebook other steps than their tags say: in memory, as if the file were tagged so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from msgspec.structs import replace

from nbmlops.core.diagnostics import sort_diagnostics
from nbmlops.notebook.codes import to_diagnostics
from nbmlops.notebook.model import Cell, CellKind, Notebook, RoleKind
from nbmlops.notebook.steps import MarkedCell, assign_roles
from nbmlops.notebook.tags import ROLES, CellMarks

# What the steps of the whole notebook and a cell's own step tags give: it is found again for the new steps.
_ABOUT_STEPS = frozenset({
    "NB101", "NB107", "NB134", "NB135", "NB136", "NB137", "NB138", "NB139", "NB140", "NB141", "NB142", "NB143",
    "NB144", "NB145", "NB146", "NB148",
})  # fmt: skip
_STEP_TAGS = ("step:", "block:", "prev:")
_NAMING = ("step:", "block:")
_KEPT = frozenset({RoleKind.PARAMETERS, RoleKind.SHARED, RoleKind.METRICS, RoleKind.SKIP})


def retag(notebook: Notebook, cuts: Mapping[int, str], roles: Mapping[int, str] = MappingProxyType({})) -> Notebook:
    """Returns the notebook cut into other steps.

    A step begins at its cell, or at the next one that can belong to a step, and reaches up to the next cut; two cuts
    with one name in a row are one step. Code cells above the first cut are shared setup. Parameters, shared, metrics
    and skipped cells keep their roles; `step:` and `prev:` tags of the notebook do not count any more.

    Args:
        notebook: As the reader made it.
        cuts: Cell number (1-based, among all cells) -> name of the step that begins there.
        roles: Cell number -> `parameters`, `imports` or `functions`, for code cells that have no such tag.
    """
    refused = {d.span.cell for d in notebook.diagnostics if d.code.startswith("NB11")}
    own = {number: tag for number, tag in roles.items() if notebook.cells[number - 1].role.kind not in _KEPT}
    able = {c.number for c in notebook.cells if c.number not in own and (can_begin_step(c) or c.number in refused)}
    begins = _moved(notebook.cells, cuts, able)
    marked = [_marked(cell, begins.get(cell.number, ""), own.get(cell.number, "")) for cell in notebook.cells]
    marked = [replace(mark, refused=mark.number in refused) for mark in marked]
    given, faults = assign_roles(marked)
    cells = tuple(
        replace(cell, role=role, tags=mark.marks.tags if mark.marks else cell.tags)
        for cell, mark, role in zip(notebook.cells, marked, given, strict=True)
    )
    kept = [diagnostic for diagnostic in notebook.diagnostics if diagnostic.code not in _ABOUT_STEPS]
    cut = replace(notebook, cells=cells)
    return replace(cut, diagnostics=sort_diagnostics([*kept, *to_diagnostics(cut, faults)]))


def has_step_tags(notebook: Notebook) -> bool:
    """Returns whether any cell says which step it belongs to, by a tag, a comment or the cell magic."""
    return any(names_step(cell) for cell in notebook.cells)


def names_step(cell: Cell) -> bool:
    """Returns whether a cell says which step it belongs to."""
    return cell.kind is CellKind.CODE and any(tag.startswith(_NAMING) for tag in cell.tags)


def can_begin_step(cell: Cell) -> bool:
    """Returns whether a step can begin at a cell: it holds code that runs, and has no other role."""
    return cell.kind is CellKind.CODE and cell.role.kind not in _KEPT and _has_code(cell)


def without_step_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Returns the tags that say nothing of steps."""
    return tuple(tag for tag in tags if not tag.startswith(_STEP_TAGS))


def _moved(cells: Sequence[Cell], cuts: Mapping[int, str], able: AbstractSet[int]) -> Mapping[int, str]:
    """Returns the cuts, each at the first cell from there on that is able to begin a step."""
    waiting = ""
    moved = {}
    for cell in cells:
        waiting = cuts.get(cell.number, waiting)
        if waiting and cell.number in able:
            moved[cell.number] = waiting
            waiting = ""
    return moved


def _marked(cell: Cell, begins: str, tag: str) -> MarkedCell:
    if cell.kind is not CellKind.CODE:
        return MarkedCell(cell.number, cell.kind, "", (), None)
    kind = cell.role.kind if cell.role.kind in _KEPT else RoleKind.STEP if begins else None
    added = [tag] if tag else [f"step:{begins}"] if begins else []
    marks = CellMarks(ROLES[tag] if tag else kind, begins, (), (*without_step_tags(cell.tags), *added))
    return MarkedCell(cell.number, cell.kind, cell.python, cell.magics, marks)


def _has_code(cell: Cell) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in cell.python.split("\n"))
