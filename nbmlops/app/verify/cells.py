"""The notebook as it is run to be compared: its own cells, without what a pipeline does elsewhere or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nbmlops.core.diagnostics import Json
from nbmlops.notebook.behaviour import TAG, cell_tests
from nbmlops.notebook.model import Cell, CellKind, Magic, MagicAction, Notebook, RoleKind
from nbmlops.pipeline.ir import Pipeline
from nbmlops.runtime.schedule.execute import literal
from nbmlops.runtime.witness.witness import CellToRun

_ELSEWHERE = frozenset({MagicAction.GATE, MagicAction.REGISTER, MagicAction.REQUIREMENT})


def cells_to_run(notebook: Notebook, pipeline: Pipeline, parameters: Mapping[str, Json]) -> tuple[CellToRun, ...]:
    """Returns the cells in the order of the notebook, each with what the kernel executes.

    Skipped cells are left out. Gate and register lines and installations are left out of their cells, each line leaving
    an empty one. Everything else runs as it is written, magics included.

    Args:
        notebook: The notebook.
        pipeline: What it was compiled into.
        parameters: Values that the caller gives; they follow the parameters cell, as papermill injects them.
    """
    ends = {max(step.cells): step.name for step in pipeline.steps if step.cells}
    return tuple(_cells(notebook, ends, parameters))


def _cells(notebook: Notebook, ends: Mapping[int, str], parameters: Mapping[str, Json]) -> Iterator[CellToRun]:
    for cell in notebook.cells:
        if cell.kind is not CellKind.CODE or cell.role.kind is RoleKind.SKIP:
            continue
        source = executed_source(cell)
        text = source if source.strip() else "pass"
        yield CellToRun(cell.number, text, ends.get(cell.number, ""), cell.may_raise)
        if cell.role.kind is RoleKind.PARAMETERS and parameters:
            lines = [f"{name} = {literal(value)}" for name, value in parameters.items()]
            yield CellToRun(0, "\n".join(lines))


def executed_source(cell: Cell) -> str:
    """Returns the text of a cell without the lines that a pipeline does elsewhere or not at all."""
    lines, python = cell.source.split("\n"), cell.python.split("\n")
    starts = {magic.line for magic in cell.magics}
    for magic in cell.magics:
        if not _is_elsewhere(magic):
            continue
        at = magic.line - 1
        lines[at] = python[at]
        at += 1
        while at < len(lines) and at + 1 not in starts and lines[at].strip() and not python[at].strip():
            lines[at] = ""  # the rest of a call or of a continued line
            at += 1
    if TAG in cell.tags and (tests := cell_tests(cell.python)).names:
        lines.append(tests.live_call)
    return "\n".join(lines)


def _is_elsewhere(magic: Magic) -> bool:
    if magic.action in _ELSEWHERE:
        return True
    if magic.action not in {MagicAction.DROP, MagicAction.UNWRAP}:
        return False
    return magic.text.lstrip("%").split()[:1] == ["mlops"] or "track(" in magic.text
