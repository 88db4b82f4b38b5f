"""NB208: name that the generated code needs.

Generated modules import `show` from nbmlops, and calls of its API go through the name `nbmlops`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB208"
RESERVED = {"nbmlops": "nbmlops", "show": "nbmlops.show"}


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at the first binding of such a name, unless it is bound to what the generated code means."""
    for name, path in RESERVED.items():
        for binding in graph.namespace.bindings.get(name, []):
            if binding.path != path:
                yield graph.error(
                    CODE,
                    Place(binding.unit, binding.node),
                    f"'{name}' is bound here, but the generated code needs this name for itself",
                    f"use another name, for example '{name}_'",
                )
                break
