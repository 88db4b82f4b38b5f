"""NB209: code that reaches into the namespace as a whole.

`globals()`, `exec` and `eval` read and write names that no analysis can see, and a step is a function: its names are
not globals.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.analysis.record import ProblemKind
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB209"
_EDITS = {
    "globals": "use the names themselves, or keep the values in a dict of your own",
    "locals": "use the names themselves, or keep the values in a dict of your own",
    "vars": "use the names themselves, or keep the values in a dict of your own",
    "dir": "list the names themselves",
    "eval": "write the expression itself; for literals in text use `ast.literal_eval`",
    "exec": "write the statements themselves, or import them from a module",
}


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each such call."""
    for unit in graph.units:
        for problem in unit.record.problems:
            if problem.kind is ProblemKind.NAMESPACE:
                yield graph.error(
                    CODE,
                    Place(unit, problem.node),
                    f"`{problem.name}` can read and change any name, so it cannot be known what this step needs",
                    _EDITS[problem.name],
                )
