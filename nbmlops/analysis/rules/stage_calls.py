"""NB404: gate or register called from code.

They are stages of the pipeline, which run once, after the last step, and are found by their `%mlops` lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB404"
_LINES = {"gate": "`%mlops gate`", "register": "`%mlops register MODEL --data FRAME`"}


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each such call."""
    for unit in graph.units:
        for function, node in unit.record.api:
            if function in _LINES:
                yield graph.error(
                    CODE,
                    Place(unit, node),
                    f"`nbmlops.{function}` is called from code, but it is a stage of the pipeline",
                    f"write {_LINES[function]} on a line of its own, in the last cell",
                )
