"""NB211: statement that only works inside, or only outside of a function.

A step is a plain function. `await` at the top level of a cell is IPython's own extension; `return` and `yield` there
are errors in the notebook, but would change the step silently.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.analysis.record import ProblemKind
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB211"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each of them."""
    for unit in graph.units:
        for problem in unit.record.problems:
            if problem.kind is ProblemKind.AWAIT:
                yield graph.error(
                    CODE,
                    Place(unit, problem.node),
                    "`await` stands at the top level of the cell, but a step is a plain function",
                    "put it into `async def main(): …` and await it in a thread, which works here and in a pipeline: "
                    "`concurrent.futures.ThreadPoolExecutor().submit(asyncio.run, main()).result()`",
                )
            elif problem.kind is ProblemKind.OUTSIDE_FUNCTION:
                yield graph.error(
                    CODE,
                    Place(unit, problem.node),
                    f"`{problem.name}` stands outside of a function",
                    "remove it, or put the code into a function",
                )
