"""NB203: name that no earlier step defines.

A step reads a name, but no cell above it binds it: not an earlier step, not a shared cell, not the parameters. Either
it is a slip, or the notebook only worked because its cells were run in another order than they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from nbmlops.analysis.flow.knowledge import BUILTINS
from nbmlops.analysis.graph import Graph, Place, StepNode, step_title
from nbmlops.analysis.model import SETUP_STEP
from nbmlops.analysis.namespace import MODULE_NAMES
from nbmlops.analysis.rules.session_names import SESSION_NAMES
from nbmlops.analysis.rules.star_imports import names_from_star
from nbmlops.core.diagnostics import Diagnostic

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
            known = name in explained or _is_available(graph, step, name, place) or _was_deleted(graph, step, name)
            known = known or place.unit.cell.may_raise  # there the error is what the notebook shows
            unknowable = graph.incomplete and name not in graph.namespace.bindings
            if not known and not unknowable:
                where = f"'{name}' is read by {step_title(step.name)}{_through(graph, name, place)}"
                reason, hint = _explanation(graph, step, name, place)
                yield graph.error(CODE, place, f"{where}, {reason}", hint)


def _is_available(graph: Graph, step: StepNode, name: str, place: Place) -> bool:
    if name in step.available or name in BUILTINS or name in MODULE_NAMES:
        return True
    if name in graph.namespace.imports and name not in graph.namespace.bindings:
        return True  # what stands for magics
    binding = (unit for unit in step.units if unit.record.binds_all is not None) if step.binds_all else ()
    if any(unit.place() <= place.unit.place() for unit in binding):
        return True  # such as `exec`, which may have bound it
    bindings = graph.namespace.bindings.get(name, [])
    if name not in graph.namespace.data:
        return any(binding.unit.place() <= place.unit.place() for binding in bindings)
    # The code of shared cells joins a later step `setup` only by mistake, which NB217 reports.
    return SETUP_STEP in graph.notebook.step_names()[1:] and any(b.unit.home == SETUP_STEP for b in bindings)


def _was_deleted(graph: Graph, step: StepNode, name: str) -> bool:
    """Returns whether an earlier step unbinds the name, which NB204 reports."""
    earlier = graph.steps[: graph.steps.index(step)]
    return any(name in other.effects.deletes for other in earlier)


def _explanation(graph: Graph, step: StepNode, name: str, place: Place) -> tuple[str, str]:
    """Returns why the name is not there, and the edit that helps."""
    here = place.unit
    bindings = [binding for binding in graph.namespace.bindings.get(name, []) if binding.unit is not here]
    if not bindings:
        return "but no earlier step defines it", _hint(graph, step, name)
    later = next((binding.unit for binding in bindings if binding.unit.place() >= here.place()), None)
    if later is None:
        reason = f"but cell {bindings[0].unit.cell.number}, which defines it, runs later"
        return reason, f"tag cell {here.cell.number} with a step below that cell's"
    number = later.cell.number
    hint = f"move the line that defines '{name}' from cell {number} above cell {here.cell.number}"
    if step.name == SETUP_STEP and later.home != SETUP_STEP:
        hint = f"tag cell {here.cell.number} with a step: the code of shared cells runs before all steps"
    if later.cell is here.cell:
        return "but the lines above do not define it, only one below does", f"move the line that defines '{name}' up"
    if later.home in {"", SETUP_STEP, step.name}:
        return f"but no earlier step defines it; only cell {number} further down does", hint
    return f"but no earlier step defines it; step '{later.home}' (cell {number}) does, which runs later", hint


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
    above = graph.steps[: graph.steps.index(step)]
    known = {name for other in above for name in other.effects.may_bind}
    known |= {*graph.namespace.imports, *graph.namespace.definitions, *graph.namespace.constants}
    known |= {*graph.namespace.parameters, *step.effects.may_bind}
    near = get_close_matches(name, sorted(known), n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"define '{name}' in this step or in one above it"
