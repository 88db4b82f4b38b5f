"""NB213: class body that reads and binds the same name.

In `class Settings: rate = rate`, Python looks for the right `rate` among the module's globals. In a step it is a
local of the function around the class, which Python skips.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.analysis.record import ProblemKind
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB213"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error for each such name that is data or a parameter."""
    data = graph.namespace.data | graph.namespace.parameters.keys()
    for unit in graph.units:
        for problem in unit.record.problems:
            if problem.kind is ProblemKind.CLASS_SCOPE and problem.name in data:
                yield graph.error(
                    CODE,
                    Place(unit, problem.node),
                    f"the class body reads '{problem.name}' and binds a name of its own that is spelled the same",
                    f"use another name for one of them, for example `{problem.name}_ = {problem.name}` above the class",
                )
