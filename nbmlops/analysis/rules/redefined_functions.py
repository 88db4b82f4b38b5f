"""NB205: function or class with more than one meaning crosses a step border.

Functions live once in the pipeline's package, under their name. One that is defined twice, defined inside an `if` or
`try`, or whose name is also a variable, has no single meaning; inside one step that is fine, between steps it is not,
as functions are imported and not stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place, step_title
from nbmlops.analysis.namespace import BindingKind
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB205"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error for each such name, at its last definition."""
    callables = graph.callables.functions.keys() | graph.callables.classes.keys()
    reported = set()
    for step in graph.steps:
        for given in step.inputs:
            name = given.name
            if name not in callables or name in reported:
                continue
            reported.add(name)
            bindings = graph.namespace.bindings[name]
            cells = sorted({binding.unit.cell.number for binding in bindings})
            definitions = [binding for binding in bindings if binding.kind is BindingKind.DEFINITION]
            if len(bindings) == 1:
                message = f"'{name}' is defined inside a block, and {step_title(step.name)} uses it from another step"
                hint = f"define '{name}' at the top level of its cell, or use it in the step that defines it only"
            elif len(definitions) == len(bindings):
                message = f"'{name}' is defined {len(bindings)} times (cells {_listed(cells)}), and used across steps"
                hint = "give each definition a name of its own, or remove those that are not meant"
            else:
                message = f"'{name}' is a function and a variable (cells {_listed(cells)}), and used across steps"
                hint = "give the variable another name"
            yield graph.error(CODE, Place(bindings[-1].unit, bindings[-1].node), message, hint)


def _listed(numbers: list[int]) -> str:
    return " and ".join(str(number) for number in numbers)
