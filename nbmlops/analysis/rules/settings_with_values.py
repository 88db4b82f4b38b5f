"""NB402: change of a library in a shared cell that depends on values of the notebook.

What shared cells set is applied at the start of every step. What they set from values is set once, in the step
`setup`, and handed over; changes of a process that cannot be handed over (see NB401) can only use literals, imports
and functions of the package.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.fidelity.ambient import is_handed_over
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
            if is_handed_over(path):
                continue
            names = sorted(set(unit.record.mentions) & data) or sorted(unit.effects.may_bind)
            yield graph.error(
                CODE,
                Place(unit, node),
                f"`{path}` is made with '{names[0]}', which has no value yet when each step applies it",
                "write the setting as a line of its own, with literal values",
            )
            break
