"""NB214: name in a query string, inside a function.

pandas looks for `@limit` in the frame that calls `query`. In the notebook that finds globals; in a step they are
locals of the function around, which pandas does not see.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.analysis.record import ProblemKind
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB214"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error for each such name."""
    for unit in graph.units:
        for problem in unit.record.problems:
            if problem.kind is ProblemKind.HIDDEN_IN_FUNCTION:
                yield graph.error(
                    CODE,
                    Place(unit, problem.node),
                    f"the query reads '@{problem.name}' inside a function, where pandas would not find it in a step",
                    f"pass '{problem.name}' to the function as an argument of the same name",
                )
