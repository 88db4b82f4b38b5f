"""NB216: function or class that keeps state, used in several steps.

*note.* What a function remembers in an attribute, in a mutable default argument, in a class attribute, in its decorator
or cache lives in one process, and so does what the notebook makes once, with the definition: `def f(at=time.time())`.
The steps keep their borders in code; when they run, those from the one that makes the function or class to the last
that uses it run in one process, and the cache takes them as one.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.graph import Graph
from nbmlops.analysis.rules.redefined_functions import readers_of
from nbmlops.core.diagnostics import Diagnostic, Severity

CODE = "NB216"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields a note at each definition of that kind that more than one step uses."""
    for name, kept in graph.kept.items():
        readers = readers_of(graph, name)
        if (kept.state or kept.once) and readers:
            binding = graph.namespace.bindings[name][0]
            why, what = f"'{name}' keeps state in {kept.state}", "keep the state"
            if kept.once:
                why, what = f"'{name}' has {kept.once} from when it was made", "keep the value"
            yield Diagnostic(
                CODE,
                Severity.NOTE,
                f"{why}, so that the steps up to '{readers[-1]}', which use it, run in one process",
                graph.place(binding.unit, binding.node),
                f"{what} in a variable, and hand it to the function as an argument, to keep the steps apart",
            )
