"""NB217: code of a shared cell that stands below the first step.

The code of cells tagged `imports` or `functions` that makes values runs once, before all steps. Standing below a
step, it ran later in the notebook, and may have seen or changed other values, printed at another place, or drawn
other random numbers. Only plain values that nothing else touches may stand there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbmlops.analysis.graph import Graph, Place
from nbmlops.analysis.model import SETUP_STEP, StatementKind
from nbmlops.analysis.statements import Unit, has_effect
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.core.syntax import walk

CODE = "NB217"


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields an error at each such statement, and for a step named like the one that shared code makes."""
    first = graph.first_step_cell()
    names = graph.notebook.step_names()
    shared = [u for u in graph.units if u.is_shared and has_effect(u)]
    code = [unit for unit in shared if unit.kind is StatementKind.CODE]
    for unit in code:
        if unit.cell.number > first and not _is_plain(graph, unit):
            yield graph.error(
                CODE,
                Place(unit, unit.node),
                f"this code of a shared cell runs before all steps, but it stands below step '{names[0]}'",
                f"tag cell {unit.cell.number} with a step, or move the code above cell {first}",
            )
    if SETUP_STEP in names[1:] and code:
        yield graph.error(
            CODE,
            Place(code[0], code[0].node),
            f"the code of shared cells becomes a first step '{SETUP_STEP}', but a later step has that name",
            f"give the step '{SETUP_STEP}' another name, or move this code into a step",
        )


def _is_plain(graph: Graph, unit: Unit) -> bool:
    """Returns whether it makes no difference when the statement runs."""
    effects = unit.effects
    data = graph.namespace.data | graph.namespace.parameters.keys()
    calls = any(isinstance(node, ast.Call | ast.Await) for part in _run_here(unit.node) for node in walk(part))
    alone = all(len(graph.namespace.bindings[name]) == 1 for name in effects.may_bind)
    return not (calls or unit.shows or effects.mutates or effects.deletes or effects.reads & data) and alone


def _run_here(node: ast.stmt) -> list[ast.AST]:
    """Returns the parts of a statement that run where it stands; the body of a function does not."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [node]
    defaults = [default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None]
    return [*node.decorator_list, *defaults]
