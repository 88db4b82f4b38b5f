"""NB205: function or class with more than one meaning crosses a step border.

*note.* Functions live once in the pipeline's package, under their name. One that is defined twice, defined inside an
`if` or `try`, or whose name is also a variable, has no single meaning; it is a value of the step that makes it. The
steps keep their borders in code; when they run, those from that one to the last that uses it run in one process.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph
from nbmlops.analysis.namespace import BindingKind
from nbmlops.core.diagnostics import Diagnostic, Severity

CODE = "NB205"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields a note for each such name, at its last definition."""
    callables = graph.callables.functions.keys() | graph.callables.classes.keys()
    for name in sorted(callables - graph.kept.keys()):
        readers = readers_of(graph, name)
        if not readers:
            continue
        bindings = graph.namespace.bindings[name]
        cells = sorted({binding.unit.cell.number for binding in bindings})
        run = "run"
        definitions = [binding for binding in bindings if binding.kind is BindingKind.DEFINITION]
        if len(bindings) == 1:
            message = f"'{name}' is defined inside a block"
            hint = f"define '{name}' at the top level of its cell, to keep the steps apart"
        elif len(definitions) == len(bindings):
            message = f"'{name}' is defined {len(bindings)} times (cells {_listed(cells)})"
            hint = "give each definition a name of its own, to keep the steps apart"
        else:
            message = f"'{name}' is a function and a variable (cells {_listed(cells)})"
            run = "may run"
            hint = "give the variable another name, to keep the steps apart"
        yield Diagnostic(
            CODE,
            Severity.NOTE,
            f"{message}, so that the steps up to '{readers[-1]}', which use it, {run} in one process",
            graph.place(bindings[-1].unit, bindings[-1].node),
            hint,
        )


def readers_of(graph: Graph, name: str) -> list[str]:
    """Returns the steps that take the name from an earlier one, in order."""
    return [step.name for step in graph.steps if any(given.name == name for given in step.inputs)]


def _listed(numbers: list[int]) -> str:
    return " and ".join(str(number) for number in numbers)
