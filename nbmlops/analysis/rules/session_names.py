"""NB215: name that only the notebook's session has.

`_`, `In` and `Out` are kept by IPython, and hold what the cells of the session gave and were. A step of a pipeline has
a session of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB215"
_RESULTS = ("_", "__", "___", "Out", "_oh", "_1", "_2", "_3")
_HISTORY = dict.fromkeys(_RESULTS, "give the value a name in the cell that computes it")
_INPUT = dict.fromkeys(("In", "_i", "_ii", "_iii", "_ih", "_dh"), "remove the line: a pipeline has no input history")
SESSION_NAMES = {**_HISTORY, **_INPUT}


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error where such a name is read and the notebook does not bind it."""
    for unit in graph.units:
        for name, node in unit.record.mentions.items():
            if name in SESSION_NAMES and name not in graph.namespace.bindings:
                yield graph.error(CODE, Place(unit, node), f"'{name}' is kept by the session only", SESSION_NAMES[name])
