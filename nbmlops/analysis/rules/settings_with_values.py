"""NB402: setting in a shared cell that depends on values of the notebook.

Settings of shared cells are applied at the start of every step, before any value is there, so they can only use
literals, imports and functions of the package.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.analysis.model import StatementKind
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB402"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each setting that is made from values, or by a statement that also binds names."""
    data = graph.namespace.data | graph.namespace.parameters.keys()
    for unit in graph.units:
        if unit.kind is not StatementKind.CODE or not unit.is_shared:
            continue
        for path, node in unit.record.settings.items():
            names = sorted(set(unit.record.mentions) & data) or sorted(unit.effects.may_bind)
            yield graph.error(
                CODE,
                Place(unit, node),
                f"this setting (`{path}`) is made with '{names[0]}', which has no value yet when settings are applied",
                "write the setting as a line of its own, with literal values",
            )
            break
