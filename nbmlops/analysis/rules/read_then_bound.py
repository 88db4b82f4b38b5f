"""NB210: builtin that a step binds, deletes and uses.

In a notebook `sum = 0` hides Python's own `sum`, and `del sum` brings it back. A step is a function, and there the
name stays a local variable without a value.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph
from nbmlops.analysis.knowledge import BUILTINS
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB210"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error where a step reads a builtin that it also binds and deletes."""
    for step in graph.steps:
        deleted = {name for unit in step.units for name in unit.effects.deletes}
        for name, place in {**step.soft, **step.reads}.items():
            if name in deleted and name in BUILTINS and name in graph.namespace.bindings:
                yield graph.error(
                    CODE,
                    place,
                    f"'{name}' is read here, and bound and deleted as a variable in the same step '{step.name}'",
                    f"give the variable another name, for example '{name}_'",
                )
