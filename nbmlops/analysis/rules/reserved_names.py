"""NB208: name that the generated code needs.

Generated modules call the API of nbmlops through the name `nbmlops`, for `%mlops` lines and for what a cell shows.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB208"
NAME = "nbmlops"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at the first binding of the name, unless it is the import of that package."""
    for binding in graph.namespace.bindings.get(NAME, []):
        if binding.path != NAME:
            yield graph.error(
                CODE,
                Place(binding.unit, binding.node),
                f"'{NAME}' is bound here, but the generated code needs this name for itself",
                f"use another name, for example '{NAME}_'",
            )
            break
