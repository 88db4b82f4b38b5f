"""NB215: name that only the notebook's session has.

`_`, `In` and `Out` are kept by IPython; `__name__` is "__main__" in a notebook and the module's name in a pipeline,
so code that depends on it would do something else without an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB215"
_RESULTS = ("_", "__", "___", "Out", "_oh", "_1", "_2", "_3")
_HISTORY = dict.fromkeys(_RESULTS, "give the value a name in the cell that computes it")
_INPUT = dict.fromkeys(("In", "_i", "_ii", "_iii", "_ih", "_dh"), "remove the line: a pipeline has no input history")
_MODULE = {
    "__name__": 'remove the condition, or write "__main__" where the text is meant',
    "__spec__": "remove the line: a step is a module of a package",
    "__package__": "remove the line: a step is a module of a package",
    "__loader__": "remove the line: a step is a module of a package",
    "__doc__": "write the text itself",
}
SESSION_NAMES = {**_HISTORY, **_INPUT, **_MODULE}


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error where such a name is read and the notebook does not bind it."""
    for unit in graph.units:
        for name, node in unit.record.mentions.items():
            if name in SESSION_NAMES and name not in graph.namespace.bindings:
                reason = "differs between notebook and pipeline" if name in _MODULE else "is kept by the session only"
                yield graph.error(CODE, Place(unit, node), f"'{name}' {reason}", SESSION_NAMES[name])
