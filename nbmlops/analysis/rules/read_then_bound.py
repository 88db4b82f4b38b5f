"""NB210: builtin that a step uses and then binds.

In a notebook `total = sum(xs)` followed by `sum = 0` works. A step is a function, and there Python takes `sum` for a
local variable from the first line on.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph
from nbmlops.analysis.knowledge import BUILTINS
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB210"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error where a step reads a builtin that it also binds."""
    for step in graph.steps:
        local = {name for unit in step.units for name in unit.record.touched} | step.effects.may_bind
        given = {value.name for value in step.inputs} | set(step.parameters)
        for name, place in {**step.soft, **step.reads}.items():
            if name in local and name in BUILTINS and name not in given:
                yield graph.error(
                    CODE,
                    place,
                    f"'{name}' is read here as Python's own, and bound as a variable in the same step '{step.name}'",
                    f"give the variable another name, for example '{name}_'",
                )
