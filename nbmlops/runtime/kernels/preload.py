"""Which modules a process may import before it is forked for a step: read from the sources of the steps. Pure.

Only libraries are preloaded of which it is known that their import does not ask what else is loaded or who is there:
pyplot, say, turns to the shell that it finds. Of these libraries only modules that the steps import by name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

_LIBRARIES = frozenset({"joblib", "matplotlib", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "statsmodels"})
_ASKS_AROUND = ("matplotlib.pyplot", "matplotlib_inline", "statsmodels.graphics", "sklearn.experimental")
# What pyplot imports before it turns to the shell.
_BELOW_PYPLOT = ("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.style", "matplotlib.projections")
# Values that steps hand over are read and written with these; Arrow imports the last one when it makes a frame.
_OF_FRAMES = ("pyarrow", "pyarrow.ipc", "pyarrow.pandas_compat")
# What scikit-learn (from 1.8 on) imports when it is first given a frame.
_OF_FRAMES_TO_LEARN = (
    "narwhals._interchange.dataframe",
    "narwhals._pandas_like.namespace",
    "narwhals.stable.v2._namespace",
)


def modules_to_preload(sources: Iterable[str]) -> tuple[str, ...]:
    """Returns the modules that the sources import and that may be imported before, sorted.

    Args:
        sources: Python text; what cannot be parsed is left out.
    """
    found = {module for source in sources for module in _imported(source)}
    if any(asks_around(module) and module.startswith("matplotlib") for module in found):
        found |= set(_BELOW_PYPLOT)
    if "pandas" in found:
        found |= set(_OF_FRAMES)
    known = {name for name in found if name.partition(".")[0] in _LIBRARIES and not asks_around(name)}
    if {"pandas", "sklearn"} <= {name.partition(".")[0] for name in known}:
        known |= set(_OF_FRAMES_TO_LEARN)
    return tuple(sorted(known))


def asks_around(module: str) -> bool:
    """Returns whether a module's import depends on the process that it happens in."""
    return any(f"{module}.".startswith(f"{name}.") for name in _ASKS_AROUND)


def _imported(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")
