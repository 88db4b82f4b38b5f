"""NB207: default argument, decorator or class body that reads data, used in another step.

*note.* Such an expression is evaluated once, where the function or class is defined. The steps keep their borders in
code; when they run, those from the one that makes the function or class to the last that uses it run in one process.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph
from nbmlops.analysis.rules.redefined_functions import readers_of
from nbmlops.core.diagnostics import Diagnostic, Severity

CODE = "NB207"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields a note at each definition of that kind that another step uses."""
    for name, kept in graph.kept.items():
        readers = readers_of(graph, name)
        if kept.read and readers:
            binding = graph.namespace.bindings[name][0]
            record = binding.unit.record
            node = record.reads.get(kept.read) or record.soft.get(kept.read) or binding.unit.node
            yield Diagnostic(
                CODE,
                Severity.NOTE,
                f"'{name}' reads '{kept.read}' when it is defined, so that the steps up to '{readers[-1]}', which use "
                "it, run in one process",
                graph.place(binding.unit, node),
                f"read '{kept.read}' in the body instead, for example through an argument without default, to keep the "
                "steps apart",
            )
