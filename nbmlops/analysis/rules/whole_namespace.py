"""NB209: code that asks which names there are, or looks into the namespaces of others.

Single names may be asked for in any way: `globals()[name]`, `eval(text)`, `"x" in dir()`. Such a step runs verbatim,
in a namespace that holds all values of the notebook. But the list of all names, as `dir()` or a loop over `globals()`
gives it, differs: a step's namespace lacks values that nobody reads any more, and has some names of its own. The same
goes for the variables of frames and of the session.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.flow.record import ProblemKind
from nbmlops.analysis.graph import Graph, Place
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB209"
_VIEWS = ("globals", "locals", "vars", "dir")
_ASK = 'ask for single names, such as `{name}()["x"]`, or keep the values in a dict of your own'


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each such use."""
    for unit in graph.units:
        for problem in unit.record.problems:
            if problem.kind is ProblemKind.NAMESPACE:
                name = problem.name
                message = f"`{name}` reaches variables past Python's scopes, which differ between notebook and pipeline"
                hint = "use the names themselves, or hand the values over as arguments"
                if name in _VIEWS:
                    message = f"what `{name}()` gives is used as a whole: which names there are differs in a pipeline"
                    hint = _ASK.format(name="globals" if name == "dir" else name)
                yield graph.error(CODE, Place(unit, problem.node), message, hint)
