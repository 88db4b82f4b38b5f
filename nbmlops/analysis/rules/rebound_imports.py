"""NB206: imported name with more than one meaning, or import inside a block.

Imports are written again at the top of each module that uses them, so an imported name must mean the same from the
first cell to the last. Modules cannot be handed from step to step either, so an import inside `try` or `if` serves
its own step only.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place, step_title
from nbmlops.analysis.namespace import Binding, BindingKind
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB206"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error where an imported name is bound again, and where one from a block crosses a step border."""
    for name, bindings in graph.namespace.bindings.items():
        imports = [binding for binding in bindings if binding.kind is BindingKind.IMPORT]
        if imports:
            yield from _rebound(graph, name, imports[0], bindings)
    crossing = {given.name: step for step in reversed(graph.steps) for given in step.inputs}
    for name, step in sorted(crossing.items()):
        bindings = graph.namespace.bindings[name]
        inside = next((binding for binding in bindings if binding.path), None)
        if inside is not None and name in graph.namespace.data:
            yield graph.error(
                CODE,
                Place(inside.unit, inside.node),
                f"'{name}' is imported inside a block, and {step_title(step.name)} uses it from another step",
                f"import '{name}' by a plain line in a cell tagged `imports`",
            )


def _rebound(graph: Graph, name: str, first: Binding, bindings: list[Binding]) -> Iterator[Diagnostic]:
    for binding in bindings:
        if binding.path == first.path:
            continue
        what = "imported from elsewhere" if binding.path else "bound again"
        yield graph.error(
            CODE,
            Place(binding.unit, binding.node),
            f"'{name}' is imported in cell {first.unit.cell.number} and {what} here",
            f"use another name here, for example '{name}_{'2' if binding.path else 'value'}'",
        )
        return
