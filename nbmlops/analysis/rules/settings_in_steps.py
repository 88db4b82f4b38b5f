"""NB401: change of a library in a step.

Settings that a step changes are handed to the steps after it: options of pandas, numpy and scikit-learn, styles of
plots, warning filters, loggers, environment variables, the working directory, the import path. What cannot be handed
over belongs to one process, and is refused where later steps would not see it: an attribute of a module that is
replaced, the way figures are shown, a class that registers itself with a library by a decorator. In a cell tagged
`imports` it is applied in every step, in the last step it is harmless, and inside `with pd.option_context(…)` and the
like it is undone.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.analysis.fidelity.ambient import is_handed_over
from nbmlops.analysis.graph import Graph, Place, step_title
from nbmlops.analysis.model import SETUP_STEP, StatementKind
from nbmlops.core.diagnostics import Diagnostic

CODE = "NB401"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each such change."""
    for step in graph.steps[:-1]:
        for unit in step.units:
            for path, node in unit.record.settings.items():
                if is_handed_over(path):
                    continue
                if step.name != SETUP_STEP or unit.home != SETUP_STEP or unit.cell.role.step:
                    yield graph.error(
                        CODE,
                        Place(unit, node),
                        f"{step_title(step.name)} changes `{path}` in its own process, which later steps would not see",
                        "move the line to a cell tagged `imports`, above the first step",
                    )
    for name, unit in graph.namespace.definitions.items():
        for path, node in unit.record.settings.items():
            yield graph.error(
                CODE,
                Place(unit, node),
                f"'{name}' registers itself with a library (`{path}`), which holds only in steps that mention '{name}'",
                f"remove the decorator, and call '{name}' by its name",
            )
    first = graph.first_step_cell()
    for unit in graph.units:
        if unit.kind is StatementKind.SETTING and unit.cell.number > first:
            path, node = next(iter(unit.record.settings.items()))
            yield graph.error(
                CODE,
                Place(unit, node),
                f"this setting (`{path}`) holds for all steps but stands below step '{graph.notebook.step_names()[0]}'",
                f"move the line above cell {first}",
            )
