"""NB201: star import of a module that cannot be imported here.

`from math import *` is compiled as `from math import pi, sqrt`, with the names that are used. Which those are, the
project's environment tells, so the module must be installed, or stand beside the notebook, where you compile. Else
write the names out. The message lists those that the notebook uses and that nothing else defines.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.flow.knowledge import BUILTINS
from nbmlops.analysis.flow.record import ProblemKind
from nbmlops.analysis.graph import Graph, Place
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
                edit = f"install the module, or name what is used: `from {problem.name} import {used}`"
                if count > 1:
                    edit = (
                        f"install the module, or name what is used: `from {problem.name} import …`; "
                        f"these names have no other source: {used}"
                    )
                yield graph.error(
                    CODE,
                    Place(unit, problem.node),
                    f"`from {problem.name} import *` hides its names, and the module cannot be imported here",
                    edit,
                )


def names_from_star(graph: Graph) -> list[str]:
    """Returns the names that the notebook mentions and that only a star import can explain; none without one."""
    if not any(p.kind is ProblemKind.STAR_IMPORT for unit in graph.units for p in unit.record.problems):
        return []
    known = graph.namespace.bindings.keys() | BUILTINS | graph.skipped.keys() | {"nbmlops"}
    return sorted({name for unit in graph.units for name in unit.record.mentions} - known)
