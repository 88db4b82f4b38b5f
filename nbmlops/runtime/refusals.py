"""The message for a value that cannot be handed over: what, of which type, made where, read by whom, and the edit."""

from __future__ import annotations

import ast
import re

from nbmlops.core.errors import StepFailed
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.errors import place_in
from nbmlops.runtime.handover import Unstorable
from nbmlops.runtime.layout import Layout


def unstorable_value(error: Unstorable, pipeline: Pipeline, step: Step, layout: Layout) -> StepFailed:
    """Returns the error that stops the step.

    Args:
        error: Names the variable, its type and the reason.
        pipeline: Tells who reads it.
        step: The step that ends with it.
        layout: Where the step's module is.
    """
    names = error.name.split(", ")
    readers = [s.name for s in pipeline.steps if any(i.name in names and i.step == step.name for i in s.inputs)]
    read_by = f"; {_steps(readers)} it" if readers else ""
    message = (
        f"{error.name!r} ({error.type}), which step {step.name!r} makes in {_cells(names, step, layout)}, "
        f"cannot be handed over: {error}{read_by}"
    )
    reader = f"step {readers[0]!r}" if readers else "the step that reads it"
    hint = (
        f"make {error.name!r} in {reader} instead (move or repeat the cell there), or hand over something plain that "
        "it can be made from; functions and classes belong in a cell tagged `functions`"
    )
    rebuilt = re.search(rf"'{re.escape(step.module)}\.<locals>\.(\w+)'", str(error))
    if rebuilt is not None:
        hint = (
            f"{rebuilt[1]!r} reads values of the notebook, so that each step has its own: give it those as arguments "
            "(or write a list that never changes as a tuple), then it lives in the package and can be handed over"
        )
    return StepFailed(message, hint)


def _steps(names: list[str]) -> str:
    quoted = ", ".join(repr(name) for name in names)
    return f"step {quoted} reads" if len(names) == 1 else f"steps {quoted} read"


def _cells(names: list[str], step: Step, layout: Layout) -> str:
    cell = _binding_cell(names, step, layout)
    numbers = [cell] if cell else list(dict.fromkeys(step.cells))
    return f"cell {numbers[0]}" if len(numbers) == 1 else f"cells {', '.join(map(str, numbers))}"


def _binding_cell(names: list[str], step: Step, layout: Layout) -> int:
    """Returns the cell with the last assignment to one of the names in the step's module, or 0."""
    try:
        tree = ast.parse((layout.package / f"{step.module}.py").read_bytes())
    except (OSError, SyntaxError, ValueError):
        return 0
    stores = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in names
    ]
    places = [place for line in sorted(stores) if (place := place_in(step.lines, line)) is not None]
    return places[-1].cell if places else 0
