"""NB201: star import.

`from math import *` binds names that nobody can see in the notebook, so it cannot be known which names a step gets
from where. Write the names out. The message lists those that the notebook uses and that nothing else defines.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.analysis.knowledge import BUILTINS
from nbmlops.analysis.record import ProblemKind
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB201"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error for each star import, with the import to write instead."""
    names = names_from_star(graph)
    count = sum(problem.kind is ProblemKind.STAR_IMPORT for unit in graph.units for problem in unit.record.problems)
    for unit in graph.units:
        for problem in unit.record.problems:
            if problem.kind is ProblemKind.STAR_IMPORT:
                used = ", ".join(names) or "…"
                edit = f"name what is used: `from {problem.name} import {used}`"
                if count > 1:
                    edit = (
                        f"name what is used: `from {problem.name} import …`; these names have no other source: {used}"
                    )
                yield graph.error(
                    CODE,
                    Place(unit, problem.node),
                    f"`from {problem.name} import *` hides which names it brings",
                    edit,
                )


def names_from_star(graph: Graph) -> list[str]:
    """Returns the names that the notebook mentions and that only a star import can explain; none without one."""
    if not any(p.kind is ProblemKind.STAR_IMPORT for unit in graph.units for p in unit.record.problems):
        return []
    known = graph.namespace.bindings.keys() | BUILTINS | graph.skipped.keys() | {"nbmlops"}
    return sorted({name for unit in graph.units for name in unit.record.mentions} - known)
