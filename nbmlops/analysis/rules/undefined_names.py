"""NB203: name that no earlier step defines.

A step reads a name, but no cell above it binds it: not an earlier step, not a shared cell, not the parameters. Either
it is a slip, or the notebook only worked because its cells were run in another order than they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from nbmlops.analysis.graph import Graph, Place, StepNode, step_title
from nbmlops.analysis.knowledge import BUILTINS
from nbmlops.analysis.model import SETUP_STEP
from nbmlops.analysis.rules.session_names import SESSION_NAMES
from nbmlops.analysis.rules.star_imports import names_from_star
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.notebook.model import RoleKind

CODE = "NB203"
_USUAL_IMPORTS = {
    "pd": "import pandas as pd",
    "np": "import numpy as np",
    "plt": "import matplotlib.pyplot as plt",
    "sns": "import seaborn as sns",
    "sklearn": "import sklearn",
    "os": "import os",
    "sys": "import sys",
    "re": "import re",
    "json": "import json",
    "math": "import math",
    "random": "import random",
    "datetime": "import datetime",
    "Path": "from pathlib import Path",
    "mlflow": "import mlflow",
}


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error where a step first reads such a name."""
    explained = {*graph.skipped, *SESSION_NAMES, *names_from_star(graph), *graph.namespace.parameters}
    for step in graph.steps:
        for name, place in step.strict.items():
            if (
                name not in explained
                and not _is_available(graph, step, name, place)
                and not _was_deleted(graph, step, name)
            ):
                yield from _report(graph, step, name, place)


def _is_available(graph: Graph, step: StepNode, name: str, place: Place) -> bool:
    if name in step.available or (name not in graph.namespace.bindings and name == "nbmlops"):
        return True
    if name in BUILTINS and place.unit.place() < min(
        (b.unit.place() for b in graph.namespace.bindings.get(name, [])), default=(0, 0)
    ):
        return True
    if name in graph.namespace.data:
        return name in BUILTINS
    bindings = graph.namespace.bindings.get(name)
    if bindings is None:
        return name in BUILTINS
    return min(binding.unit.place() for binding in bindings) <= place.unit.place()


def _was_deleted(graph: Graph, step: StepNode, name: str) -> bool:
    """Returns whether an earlier step unbinds the name, which NB204 reports."""
    for earlier in graph.steps:
        if earlier is step:
            return False
        if name in earlier.effects.deletes:
            return True
    return False


def _report(graph: Graph, step: StepNode, name: str, place: Place) -> Iterator[Diagnostic]:
    title = step_title(step.name)
    through = _through(graph, name, place)
    later = [binding for binding in graph.namespace.bindings.get(name, []) if binding.unit.place() > place.unit.place()]
    if later:
        cell = later[0].unit.cell
        home = later[0].unit.home
        where = (
            f"step '{home}'"
            if home not in {"", SETUP_STEP, step.name}
            else "this step"
            if home == step.name
            else "only"
        )
        tail = "only further down" if where == "this step" else f"{where} (cell {cell.number}) does, which runs later"
        if cell.role.kind in {RoleKind.SHARED, RoleKind.SETUP}:
            tail = f"only cell {cell.number} further down does"
        message = f"'{name}' is read by {title}{through}, but no earlier step defines it; {tail}"
        hint = f"move the line that defines '{name}' from cell {cell.number} above cell {place.unit.cell.number}"
        if step.name == SETUP_STEP and home != SETUP_STEP:
            hint = f"tag cell {place.unit.cell.number} with a step: the code of shared cells runs before all steps"
        yield graph.error(CODE, place, message, hint)
        return
    if graph.incomplete and name not in graph.namespace.bindings:
        return
    bound_before = graph.namespace.bindings.get(name)
    if bound_before:
        cell = bound_before[0].unit.cell
        message = f"'{name}' is read by {title}{through}, but cell {cell.number}, which defines it, runs later"
        yield graph.error(CODE, place, message, f"tag cell {place.unit.cell.number} with a step below that cell's")
        return
    message = f"'{name}' is read by {title}{through}, but no earlier step defines it"
    yield graph.error(CODE, place, message, _hint(graph, step, name))


def _through(graph: Graph, name: str, place: Place) -> str:
    """Returns which function reads the name, when it is not the statement itself."""
    if getattr(place.node, "id", "") == name:
        return ""
    for function in sorted(place.unit.record.mentions):
        definition = graph.definitions.get(function)
        unit = graph.namespace.definitions.get(function)
        if unit is not None and (name in unit.record.mentions or (definition is not None and name in definition.reads)):
            return f" in function '{function}'"
    return ""


def _hint(graph: Graph, step: StepNode, name: str) -> str:
    if name in _USUAL_IMPORTS:
        return f"add `{_USUAL_IMPORTS[name]}` to a cell tagged `imports`"
    known = {*step.available, *graph.namespace.imports, *graph.namespace.definitions, *graph.namespace.constants}
    known |= {*graph.namespace.parameters, *step.effects.may_bind}
    near = get_close_matches(name, sorted(known), n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"define '{name}' in this step or in one above it"
