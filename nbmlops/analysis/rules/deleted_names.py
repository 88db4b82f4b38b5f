"""NB204: name deleted, then read by a later step.

After `del` the name does not exist, so the later step would fail in the notebook too, unless the line runs only
sometimes. A pipeline cannot hand over a name that may not exist.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place, StepNode, step_title
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB204"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each `del` of a name that a later step reads before binding it again."""
    for position, step in enumerate(graph.steps):
        for name in sorted(step.effects.deletes):
            reader = _reader(graph.steps[position + 1 :], name)
            if reader is not None:
                place = _deletion(step, name)
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
    for step in later:
        if name in step.reads:
            return step
        if name in step.effects.binds:
            return None
    return None


def _deletion(step: StepNode, name: str) -> Place:
    for unit in reversed(step.units):
        if name in unit.effects.deletes:
            for node in ast.walk(unit.node):
                is_del = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del) and node.id == name
                if is_del or (isinstance(node, ast.ExceptHandler) and node.name == name):
                    return Place(unit, node)
            return Place(unit, unit.node)
    return Place(step.units[-1], step.units[-1].node)
