"""NB212: `global` that would mean something else in a step.

At the top level of a cell it does nothing in the notebook, but in a step it would make a global of the module. And in
a function inside a function that has a local of the same name, it would be taken for that one.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.analysis.record import ProblemKind
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB212"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each such statement."""
    for unit in graph.units:
        for problem in unit.record.problems:
            if problem.kind is ProblemKind.GLOBAL_AT_TOP:
                yield graph.error(
                    CODE,
                    Place(unit, problem.node),
                    f"`global {problem.name}` stands at the top level, where it does nothing",
                    "remove the line",
                )
            elif problem.kind is ProblemKind.NESTED_GLOBAL:
                yield graph.error(
                    CODE,
                    Place(unit, problem.node),
                    f"'{problem.name}' is `global` here and a local of the function around it",
                    f"rename the local '{problem.name}' of the outer function",
                )
