"""NB202: name defined only in a skipped cell.

A cell tagged `skip` is no part of the pipeline, but a step reads a name that nothing else defines. Run in the
notebook, the step works; compiled it would fail.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, step_title
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB202"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error where a step first reads such a name."""
    for step in graph.steps:
        for name, place in {**step.soft, **step.reads}.items():
            if name in graph.skipped:
                number = graph.skipped[name].number
                yield graph.error(
                    CODE,
                    place,
                    f"'{name}' is read by {step_title(step.name)}, but only cell {number}, tagged `skip`, defines it",
                    f"remove the tag `skip` from cell {number}, or move the line that defines '{name}' into a step",
                )
