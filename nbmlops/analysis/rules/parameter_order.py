"""NB305: name bound above the parameters cell.

The parameters cell sets the name again, so what the cells above compute with it and what they leave in it would
depend on an order that a pipeline, which knows its parameters from the start, does not have.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB305"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error where a parameter is bound before the parameters cell."""
    for name, unit in graph.namespace.parameters.items():
        for binding in graph.namespace.bindings[name]:
            if binding.unit.place() < unit.place() and binding.unit.cell is not unit.cell:
                yield graph.error(
                    CODE,
                    Place(binding.unit, binding.node),
                    f"'{name}' is bound here, and set again as a parameter in cell {unit.cell.number}",
                    "remove this line, or give one of the two another name",
                )
