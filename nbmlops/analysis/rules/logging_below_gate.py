"""NB403: call below the gate of a function that logs.

The gate judges the metrics of the run when all steps are done. A metric, parameter or data set logged below the line
`%mlops gate` was not there when the notebook's gate judged, but would be in the pipeline. `%mlops` lines and direct
calls below the gate are NB122.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB403"
_LOGGING = {"metric", "param", "data", "check", "api.predictions", "api.test"}


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each such call."""
    gate = graph.gate()
    if gate is None:
        return
    for unit in graph.running():
        if unit.place() <= gate or unit.defines():
            continue
        for name, node in unit.record.mentions.items():
            definition = graph.namespace.definitions.get(name)
            calls = [function for function, _ in definition.record.api] if definition is not None else []
            logged = next((function for function in calls if function in _LOGGING), "")
            if logged:
                message = f"'{name}' calls `nbmlops.{logged}`, and stands below the gate in cell {gate[0]}"
                yield graph.error(CODE, Place(unit, node), message, "move the line above the gate")
