"""NB204: name deleted, then read by a later step.

After `del` the name does not exist, so the later step fails in the notebook too. A name that is deleted sometimes, or
read only sometimes, is handed over with or without its value, as in the notebook. Of one that Python has too, such as
`sum`, Python's own comes back.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbmlops.analysis.certain import certain_reads
from nbmlops.analysis.flow.knowledge import BUILTINS
from nbmlops.analysis.graph import Graph, Place, StepNode, step_title
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.core.syntax import walk

CODE = "NB204"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each `del` of a name that a later step reads before binding it again."""
    for position, step in enumerate(graph.steps):
        for name in sorted(step.effects.deletes):
            place = _deletion(step, name)
            reader = _reader(graph.steps[position + 1 :], name)
            if place is not None and reader is not None and name not in BUILTINS and _is_sure(step, place, name):
                hint = f"remove `del {name}`: what a step does not hand over is freed at its end"
                if isinstance(place.node, ast.ExceptHandler):
                    hint = f"use another name than '{name}' for the exception: Python deletes it when the handler ends"
                yield graph.error(
                    CODE,
                    place,
                    f"'{name}' is deleted in {step_title(step.name)}, but {step_title(reader.name)} reads it",
                    hint,
                )


def _reader(later: list[StepNode], name: str) -> StepNode | None:
    """Returns the step that surely reads the name before anything may bind it."""
    for step in later:
        for unit in step.units:
            if name in certain_reads(unit):
                return step
            if name in unit.effects.may_bind:
                return None
    return None


def _is_sure(step: StepNode, place: Place, name: str) -> bool:
    """Returns whether the name is gone when the step ends; what stands in a block may not run."""
    if isinstance(place.node, ast.ExceptHandler):
        return True
    later = step.units[step.units.index(place.unit) + 1 :]
    is_del = isinstance(place.unit.node, ast.Delete) and not place.unit.cell.may_raise
    return is_del and not any(name in unit.effects.may_bind for unit in later)


def _deletion(step: StepNode, name: str) -> Place | None:
    """Returns where the name is deleted; None in a step that merely may unbind any name."""
    for unit in reversed(step.units):
        if name in unit.effects.deletes:
            for node in walk(unit.node):
                is_del = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del) and node.id == name
                if is_del or (isinstance(node, ast.ExceptHandler) and node.name == name):
                    return Place(unit, node)
            return Place(unit, unit.node)
    return None
