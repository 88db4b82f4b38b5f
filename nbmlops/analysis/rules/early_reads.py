"""NB207: default argument, decorator or class body that reads data, used in another step.

Such an expression is evaluated once, where the function or class is defined. Another step that uses it would have to
evaluate it again, with the values of its own moment, which may be others.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.definitions import early_reads
from nbmlops.analysis.graph import Graph, Place, step_title
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB207"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each definition of that kind that another step uses."""
    for name, unit in graph.namespace.definitions.items():
        read = sorted(early_reads(graph, name))
        user = next((step for step in graph.steps if name in step.closure and step.name != unit.home), None)
        if read and user is not None:
            node = unit.record.reads.get(read[0]) or unit.record.soft.get(read[0]) or unit.node
            yield graph.error(
                CODE,
                Place(unit, node),
                f"'{name}' reads '{read[0]}' when it is defined, and {step_title(user.name)} uses it from another step",
                f"read '{read[0]}' in the body instead, for example through an argument without default, "
                f"or move the definition into step '{user.name}'",
            )
