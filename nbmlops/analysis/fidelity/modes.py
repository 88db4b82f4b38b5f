"""Which steps need the namespace of a notebook, and why; all others become functions.

A step's cells mean the same in a function unless they reach their names in other ways than Python's scopes: through
`globals()` or `exec`, from a class body around which the name is bound, from a query inside a function. Such a step is
emitted verbatim: its cells run one by one in the namespace of its notebook, into which its values are loaded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from nbmlops.analysis.fidelity.code_places import steps_that_tell_places
from nbmlops.analysis.fidelity.error_texts import steps_that_show_calls, steps_that_show_missing_names
from nbmlops.analysis.fidelity.identity import compared_names, merged_literals
from nbmlops.analysis.fidelity.lifetimes import lifetime_reasons
from nbmlops.analysis.flow.knowledge import BUILTINS
from nbmlops.analysis.flow.record import Problem, ProblemKind
from nbmlops.analysis.graph import Graph, StepNode
from nbmlops.analysis.imports.definitions import early_reads, summaries
from nbmlops.analysis.model import Placement, StatementKind
from nbmlops.analysis.namespace import MODULE_NAMES, Namespace
from nbmlops.analysis.statements import Unit
from nbmlops.core.jupyter_tags import RAISES
from nbmlops.core.syntax import children, find, kinds
from nbmlops.notebook.model import RoleKind

_TASKS = frozenset({"create_task", "ensure_future", "run_coroutine_threadsafe", "call_soon", "call_later"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp)


def bound_out_of_sight(units: Sequence[Unit], namespace: Namespace) -> set[str]:
    """Returns names that nothing binds visibly and that are read below code which may bind any name."""
    start = next((position for position, unit in enumerate(units) if unit.record.binds_all is not None), len(units))
    known = namespace.bindings.keys() | namespace.imports.keys() | BUILTINS | MODULE_NAMES | {"nbmlops"}
    read = {name for unit in units[start:] for name in (*unit.record.reads, *unit.record.soft)}
    return {name for name in read - known if not name.startswith("_") or len(name.strip("_")) > 1}


def choose_modes(graph: Graph) -> list[StepNode]:
    """Sets mode, reason and reach of each step; returns those that are emitted verbatim."""
    for step in graph.steps:
        step.reads_all = any(unit.record.reads_all is not None for unit in step.units)
        step.binds_all = any(unit.record.binds_all is not None for unit in step.units)
        step.reason = next(_reasons(graph, step), "")
    showing = {
        **steps_that_tell_places(graph),
        **steps_that_show_calls(graph),
        **steps_that_show_missing_names(graph),
    }
    for step in graph.steps:
        step.reason = step.reason or showing.get(step.name, "")
    compared = compared_names(graph)
    for step in graph.steps if compared else ():
        if not step.reason and (unit := merged_literals(step, compared)):
            step.reason = (
                f"cell {unit.cell.number}: code tells equal literals apart, which are one object in a function"
            )
    for name, reason in lifetime_reasons(graph).items():
        step = next(step for step in graph.steps if step.name == name)
        step.reason = step.reason or reason
        step.reads_all = step.binds_all = True
    for step in graph.steps:
        for later in _with_what_it_made(graph, step):
            later.reason = later.reason or f"code that step '{step.name}' makes reads names that are not known before"
            later.reads_all = True
    _keep_variables_in_one_place(graph)
    return [step for step in graph.steps if step.reason]


def in_namespace(graph: Graph, step: StepNode) -> set[str]:
    """Returns the definitions and constants that are in the namespace of a verbatim step, used or not."""
    own = {name for name, unit in graph.namespace.definitions.items() if _is_own(step, unit)}
    own |= {name for block, names in graph.namespace.blocks.items() if _is_own(step, block) for name in names}
    if not step.reads_all:
        return own
    order = {other.name: position for position, other in enumerate(graph.steps)}
    last = order[step.name]
    known = graph.namespace.definitions | graph.namespace.constants
    return own | {name for name, unit in known.items() if order.get(unit.home, -1) < last}


def _is_own(step: StepNode, unit: Unit) -> bool:
    return unit.home == step.name and unit.cell.role.kind is RoleKind.STEP


def _reasons(graph: Graph, step: StepNode) -> Iterator[str]:
    """Yields why the cells of a step do not mean the same in a function, in the order of the cells."""
    behind = [graph.namespace.definitions[name] for name in step.closure if name in graph.namespace.definitions]
    stay = [unit for unit in behind if graph.definitions[unit.defines()].placement is Placement.STEP]
    for unit in sorted({*step.units, *stay}, key=Unit.place):
        for problem in unit.record.problems:
            if what := _told(graph, problem):
                yield f"cell {unit.cell.number}: {what}"
        yield from (f"cell {unit.cell.number}: {what}" for what in _of_unit(graph, unit))


def _told(graph: Graph, problem: Problem) -> str:
    """Returns what a construct does that it would not do in a function, or ""."""
    data = graph.namespace.data | graph.namespace.parameters.keys()
    match problem.kind:
        case ProblemKind.EVERYTHING if problem.name in {"eval", "exec"}:
            return f"`{problem.name}` runs code that is not known before"
        case ProblemKind.EVERYTHING:
            return f"`{problem.name}()` reaches names that are not known before"
        case ProblemKind.CLASS_SCOPE if problem.name in data:
            return f"the class body reads and binds '{problem.name}'"
        case ProblemKind.HIDDEN_IN_FUNCTION:
            return f"'{problem.name}' is read from within a text"
        case ProblemKind.NESTED_GLOBAL:
            return f"'{problem.name}' is `global` inside a function that has a local of that name"
        case _:
            return ""


def _of_unit(graph: Graph, unit: Unit) -> Iterator[str]:
    namespace = graph.namespace
    for name in sorted(MODULE_NAMES & unit.record.mentions.keys()):
        if name != "__name__" and name not in namespace.bindings:
            yield f"'{name}' is that of the notebook"
    for name in sorted(BUILTINS & unit.effects.deletes):
        if not (unit.record.binds_all and name in namespace.data):
            yield f"deleting '{name}' brings back Python's own"
    if unit.cell.may_raise and unit.home == unit.cell.role.step:
        yield f"it is tagged `{RAISES}`"
    if name := next((part.name for part in find(unit.node, ast.ClassDef) if _is_dataclass(part)), ""):
        yield f"the text of a '{name}' tells where its class is made"
    if unit.kind is StatementKind.CODE and _makes_tasks(unit.node):
        yield "a task that it starts goes on between the cells"


def _is_dataclass(node: ast.ClassDef) -> bool:
    made = [decorator.func if isinstance(decorator, ast.Call) else decorator for decorator in node.decorator_list]
    return any(getattr(part, "attr", getattr(part, "id", "")) == "dataclass" for part in made)


def _makes_tasks(node: ast.AST) -> bool:
    return bool(find(node, ast.Call)) and any(part.attr in _TASKS for part in find(node, ast.Attribute))


def _with_what_it_made(graph: Graph, step: StepNode) -> Iterator[StepNode]:
    """Yields the later steps that use values whose code looks for names of the notebook that are not known."""
    wide = {
        name
        for name, unit in graph.namespace.definitions.items()
        if any(problem.kind is ProblemKind.EVERYTHING for problem in unit.record.problems)
    }
    made = {
        name
        for unit in (step.units if wide else ())
        if unit.record.mentions.keys() & wide and unit.kind is StatementKind.CODE
        for name in (*unit.record.touched, *unit.record.mutates)
    }
    if any(problem.name == "exec" for unit in step.units for problem in unit.record.problems):
        made |= graph.namespace.data - graph.namespace.bindings.keys()  # functions that nobody sees, maybe
    for later in graph.steps[graph.steps.index(step) + 1 :]:
        if made & later.mentions.keys():
            yield later


def _keep_variables_in_one_place(graph: Graph) -> None:
    """Makes steps verbatim that share variables with functions of verbatim ones, or the other way round.

    Functions may outlive their step, when it is joined with later ones. Those of a verbatim step look up their names in
    the kernel's namespace, those of others have them in cells: a variable must not be in both.
    """
    if not any(step.reason for step in graph.steps):
        return
    data = frozenset(graph.namespace.data | graph.namespace.parameters.keys())
    inside = {step.name: _variables_of_functions(graph, step) & data for step in graph.steps}
    bound = {step.name: _bound_inside(graph, step) for step in graph.steps}
    again = True
    while again:
        again = False
        for position, step in enumerate(graph.steps):
            for other in graph.steps[position + 1 :]:
                if bool(step.reason) == bool(other.reason):
                    continue
                shared = inside[step.name] & other.effects.may_bind
                shared |= bound[step.name] & other.mentions.keys()
                if shared:
                    plain, verbatim = (other, step) if step.reason else (step, other)
                    plain.reason = f"it shares '{min(shared)}' with functions, and step '{verbatim.name}' is verbatim"
                    again = True


def _variables_of_functions(graph: Graph, step: StepNode) -> set[str]:
    """Returns the names that functions mention which the step makes and which may outlive it."""
    found: set[str] = set()
    for function in _functions(unit.node for unit in step.units if unit.kind is StatementKind.CODE):
        found |= {part.id for part in find(function, ast.Name)}
    for name in _outliving(graph, step):
        inside = frozenset[str]().union(*(summary.reads for summary in summaries(graph, name)))
        found |= (graph.definitions[name].reads - early_reads(graph, name)) | inside | graph.definitions[name].writes
    return found


def _bound_inside(graph: Graph, step: StepNode) -> set[str]:
    """Returns the names that functions which the step makes bind."""
    found: set[str] = set()
    for function in _functions(unit.node for unit in step.units if unit.kind is StatementKind.CODE):
        found |= {name for part in find(function, ast.Global) for name in part.names}
    return found.union(*(graph.definitions[name].writes for name in _outliving(graph, step)))


def _outliving(graph: Graph, step: StepNode) -> set[str]:
    """Returns the definitions that the step makes for itself and that may become part of a value.

    Those are classes, functions that are named without being called, and functions that make others.
    """
    own = step.closure & graph.definitions.keys()
    nodes = {name: graph.namespace.definitions[name].node for name in own}
    code = [*(unit.node for unit in step.units if unit.defines() not in own), *nodes.values()]
    called = {part.func for node in code for part in find(node, ast.Call)}
    named = {part.id for node in code for part in find(node, ast.Name) if part not in called}
    return {
        name for name, node in nodes.items() if name in named or isinstance(node, ast.ClassDef) or _makes_code(node)
    }


def _makes_code(node: ast.AST) -> bool:
    inner = _functions(children(node))
    return next(inner, None) is not None or not kinds(node).isdisjoint((ast.Yield, ast.YieldFrom))


def _functions(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yields the functions and classes in the code that are not inside of others."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, _FUNCTIONS):
            yield node
        else:
            waiting.extend(children(node))
