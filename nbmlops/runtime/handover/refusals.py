"""The messages for a value that cannot be stored where it has to be: what, of which type, made where, and the edit."""

from __future__ import annotations

import ast
import re

from nbmlops.core.errors import StepFailed
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.layout import Layout
from nbmlops.runtime.steps.errors import place_in


def unstorable_result(value: LiveValue, pipeline: Pipeline, step: Step, layout: Layout) -> StepFailed:
    """Returns the error of a step that leaves a value which the closing stages read from the store.

    Args:
        value: The value, and why it cannot be stored.
        pipeline: The pipeline.
        step: The step that ends with it.
        layout: Where the step's module is.
    """
    stages = ["the metrics"] if any(metric.value.name == value.name for metric in pipeline.metrics) else []
    register = pipeline.register
    if register is not None and value.name in {register.model.name, register.data.name if register.data else ""}:
        stages.append("registering")
    message = (
        f"{value.name!r} ({value.type}), which step {step.name!r} makes in {_cells([value.name], step, layout)}, "
        f"cannot be stored: {value.reason}; {' and '.join(stages)} read it from the store"
    )
    hint = (
        "name a value that can be stored, such as a fitted estimator without lambdas, locks or open files; functions "
        "and classes belong in a cell tagged `functions`"
    )
    rebuilt = re.search(rf"'{re.escape(step.module)}\.<locals>\.(\w+)'", value.reason)
    if rebuilt is not None:
        hint = (
            f"{rebuilt[1]!r} reads values of the notebook, so that each step has its own: give it those as arguments "
            "(or write a list that never changes as a tuple), then it lives in the package and can be stored"
        )
    return StepFailed(message, hint)


def value_of_another_process(value: LiveValue, producer: str, reader: str, pipeline: Pipeline) -> StepFailed:
    """Returns the error of a step that runs by itself and reads a value that could not be stored.

    Args:
        value: The value, and why it cannot be stored.
        producer: The step that leaves it.
        reader: The step that reads it.
        pipeline: The pipeline.
    """
    return StepFailed(
        f"step {reader!r} reads {value.name!r} ({value.type}), which step {producer!r} makes and which cannot be "
        f"stored: {value.reason}",
        f"run both in one process: nbmlops run {pipeline.name}",
    )


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
