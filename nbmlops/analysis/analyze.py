"""The front door of analysis: a notebook in, all facts and faults out.

The passes, in order: statements, names, what functions do, what statements do, where definitions go, steps and their
interfaces, rules. Called by `nbmlops.app.compiling.inspect` and by the compiler.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from msgspec.structs import replace

from nbmlops.analysis.closing import closing_names, merge_closing
from nbmlops.analysis.fidelity.ambient import gives_back
from nbmlops.analysis.fidelity.identity import (
    compared_constants,
    compared_names,
    comparing_units,
    keep_parameters,
    names_of_memory,
)
from nbmlops.analysis.fidelity.kept import kept_definitions, late_reads
from nbmlops.analysis.fidelity.modes import bound_out_of_sight
from nbmlops.analysis.flow.callgraph import callables_by_time, summarize_functions
from nbmlops.analysis.flow.coroutines import awaits
from nbmlops.analysis.flow.flow import FlowWalker
from nbmlops.analysis.flow.knowledge import BUILTINS
from nbmlops.analysis.flow.objects import NONE, Heap, ObjectKind
from nbmlops.analysis.flow.record import Callables, State, join
from nbmlops.analysis.flow.scope import collect_names
from nbmlops.analysis.graph import Graph, Kept
from nbmlops.analysis.imports.definitions import place_definitions
from nbmlops.analysis.imports.import_effects import imports_for_effect
from nbmlops.analysis.imports.import_order import changes_imports
from nbmlops.analysis.imports.talking import shown_before
from nbmlops.analysis.interface import connect_steps, step_facts
from nbmlops.analysis.model import (
    SETUP_STEP,
    ClosingNames,
    Constant,
    Effects,
    ImportedName,
    NotebookAnalysis,
    ParameterDeclaration,
    StatementKind,
)
from nbmlops.analysis.namespace import MODULE_NAMES, Namespace, block_uses, import_paths, sort_names
from nbmlops.analysis.parameters import declare_parameters
from nbmlops.analysis.rules import check_all, undefined_names
from nbmlops.analysis.statements import Unit, is_displayed, parse_cell
from nbmlops.analysis.steps import build_steps, home_of, in_running_order
from nbmlops.core.diagnostics import has_errors, sort_diagnostics
from nbmlops.notebook.model import Cell, Notebook, RoleKind
from nbmlops.pipeline.ir import ParameterType

# Names that IPython puts into every session; a module has to import them.
_FROM_IPYTHON = {
    "display": ("IPython.display", "display"),
    "get_ipython": ("IPython", "get_ipython"),
    "matplotlib_inline": ("matplotlib_inline.backend_inline", ""),  # what stands for a `%config` line
}
_COUNTED = {RoleKind.PARAMETERS, RoleKind.SHARED, RoleKind.SETUP, RoleKind.STEP, RoleKind.METRICS}


def analyze(
    notebook: Notebook,
    closing: ClosingNames = ClosingNames(),  # noqa: B008 - frozen
    local_modules: Mapping[str, str] = MappingProxyType({}),
) -> NotebookAnalysis:
    """Returns all facts about a notebook and everything that is wrong with it.

    Args:
        notebook: As the reader made it; its own diagnostics are among the result's.
        closing: Names that the configuration gives to the closing stages; the notebook's own lines come first.
        local_modules: Sources of the modules beside the notebook that its cells import, by dotted name.
    """
    graph = build_graph(notebook, closing, local_modules)
    diagnostics = sort_diagnostics([*notebook.diagnostics, *check_all(graph)])
    namespace = graph.namespace
    settings = [unit for unit in graph.units if unit.kind is StatementKind.SETTING]
    first = [unit for unit in settings if changes_imports(unit.node, namespace.paths)]
    effects = imports_for_effect(graph)
    found = step_facts(graph)
    shown = shown_before(graph, found, effects.steps)
    compared = compared_names(graph) | names_of_memory(graph)
    return NotebookAnalysis(
        steps=tuple(
            replace(
                facts,
                loads=effects.steps[facts.name],
                silent=shown[facts.name],
                compared=tuple(name for name in facts.outputs if name in compared),
            )
            for facts in found
        ),
        parameters=graph.parameters,
        imports=tuple(dict.fromkeys(imported for found in namespace.imports.values() for imported in found)),
        definitions=tuple(graph.definitions.values()),
        constants=tuple(_constant(graph, name, unit) for name, unit in namespace.constants.items()),
        settings=tuple(unit.statement() for unit in settings if unit not in first),
        environment=tuple(unit.statement() for unit in first),
        closing=graph.closing_inputs,
        diagnostics=diagnostics,
        helper_loads=effects.helpers,
        setting_loads=effects.settings,
    )


def _constant(graph: Graph, name: str, unit: Unit) -> Constant:
    if unit not in graph.namespace.blocks:
        return Constant(name, unit.statement())
    mentions = unit.record.mentions.keys()
    imports = mentions & graph.namespace.imports.keys()
    return Constant(
        name,
        unit.statement(),
        is_block=True,
        certain=name in unit.effects.binds,
        imports=frozenset(imports),
        uses=block_uses(graph.namespace, unit),
    )


def build_graph(
    notebook: Notebook, closing: ClosingNames, local_modules: Mapping[str, str] = MappingProxyType({})
) -> Graph:
    """Returns the notebook with all that the passes find, before the rules look at it.

    Definitions that turn out to be values are taken as such from the start, in a further round, which may find others
    that are made from them.
    """
    kept: dict[str, Kept] = {}
    held: frozenset[str] = frozenset()
    by_time = False
    graph = build_round(notebook, closing, local_modules=local_modules)
    while True:
        more = kept_definitions(graph)
        # A call may only seem to read a name, if its function is defined again below.
        seems = not by_time and any(undefined_names.check(graph))
        more_held = compared_constants(graph)
        if not more and not more_held and not seems:
            graph.kept = kept
            return graph
        kept |= more
        held |= more_held
        by_time = by_time or seems
        graph = build_round(notebook, closing, kept.keys() | held, local_modules, by_time=by_time)


def build_round(
    notebook: Notebook,
    closing: ClosingNames,
    values: AbstractSet[str] = frozenset(),
    local_modules: Mapping[str, str] = MappingProxyType({}),
    *,
    by_time: bool = False,
) -> Graph:
    """Returns the same, with the definitions of these names as values.

    Args:
        notebook: The notebook.
        closing: Names that the closing stages read.
        values: Names of definitions that are values.
        local_modules: Sources of the modules beside the notebook.
        by_time: Whether calls mean the functions that exist when they run, instead of all of that name.
    """
    homes = home_of(notebook)
    units = [unit for cell in notebook.cells if cell.role.kind in _COUNTED for unit in parse_cell(cell)]
    for unit in units:
        unit.home = homes[unit.cell.number]
    declared = declare_parameters([u for u in units if u.cell.role.kind is RoleKind.PARAMETERS], import_paths(units))
    for unit in declared.others:
        unit.home = SETUP_STEP
    units = in_running_order(notebook, units)
    namespace = sort_names(sorted(units, key=Unit.place), values)
    heap = Heap()
    names = namespace.names()
    callables = summarize_functions((unit.node for unit in units), names, heap)
    graph = Graph(
        notebook, units, namespace, callables, parameters=declared.parameters, parameter_faults=declared.faults
    )
    graph.local_modules = local_modules
    spans = callables_by_time([unit.node for unit in units], names, heap) if by_time else {}
    _walk(graph, FlowWalker(names, callables, heap), spans)
    _import_from_ipython(graph)
    graph.comparing = comparing_units(graph)
    keep_parameters(graph, compared_names(graph))
    graph.definitions = place_definitions(graph)
    graph.closing = merge_closing(closing_names(notebook), closing)
    graph.skipped = _skipped_names(notebook, namespace)
    graph.incomplete = has_errors(d for d in notebook.diagnostics if d.code.startswith("NB11"))
    graph.steps = build_steps(graph)
    connect_steps(graph)
    return graph


def _walk(graph: Graph, walker: FlowWalker, spans: Mapping[ast.stmt, Callables]) -> None:
    """Runs the flow analysis over all statements in running order, and notes what each does."""
    walker.state = State(env={p.name: NONE for p in graph.parameters if not _is_mutable(p)})
    mutable = [parameter.name for parameter in graph.parameters if _is_mutable(parameter)]
    ends: dict[Unit, State] = {}
    for unit in graph.units:
        walker.callables = spans.get(unit.node, walker.callables)
        unit.record, end = walker.statement(unit.node)
        ends[unit] = end
        if unit.cell.may_raise:  # the statement may not have run
            end.since = join([State(env=end.env), end]).since
        for name in mutable:
            if _is_kept(name, unit, end, walker.heap):
                # From here on it is a value with two names: both are handed over, so that they stay one object.
                unit.record.mutates.setdefault(name, unit.node)
        for name in late_reads(graph.callables, unit):
            unit.record.soft.setdefault(name, unit.node)
        called = unit.node.value if isinstance(unit.node, ast.Expr) and unit.last_of_cell else None
        path = walker.dotted(called.func) if isinstance(called, ast.Call) else None
        unit.shows = is_displayed(unit, path, of_container=_is_of_container(called, walker))
        unit.tells_setting = unit.shows and gives_back(path)
    graph.namespace.data |= bound_out_of_sight(graph.units, graph.namespace)
    builtins = BUILTINS - graph.namespace.bindings.keys()
    for unit in graph.units:
        unit.effects = _effects(unit, ends[unit], graph.namespace, builtins)
        if unit.kind is StatementKind.CODE and _is_setting(unit, graph.namespace):
            unit.kind = StatementKind.SETTING
    _run_in_order(graph)


def _is_of_container(call: ast.expr | None, walker: FlowWalker) -> bool:
    """Returns whether a call is one of a method of a name that stands for a list, dict or set."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
            objects = walker.state.objects(name) or NONE
            return bool(objects) and all(walker.heap.kind(item) is ObjectKind.CONTAINER for item in objects)
        case _:
            return False


def _run_in_order(graph: Graph) -> None:
    """Leaves settings in the code of the setup step where they stand below one that is made from values."""
    below = False
    for unit in graph.units:
        if unit.cell.role.kind in {RoleKind.SHARED, RoleKind.SETUP}:
            if unit.kind is StatementKind.CODE and unit.record.settings:
                below = True
            elif below and unit.kind is StatementKind.SETTING:
                unit.kind = StatementKind.CODE


def _is_mutable(parameter: ParameterDeclaration) -> bool:
    return parameter.type in {ParameterType.LIST, ParameterType.DICT, ParameterType.NONE}


def _is_kept(parameter: str, unit: Unit, end: State, heap: Heap) -> bool:
    """Returns whether the statement makes another value that is the parameter's, or holds it."""
    found = end.objects(parameter)
    if not found or parameter not in unit.record.mentions:
        return False
    holders = heap.holders(found)
    names = {key for key in end.may if isinstance(key, str)} | unit.record.mutates.keys()
    return any(not holders.isdisjoint(end.objects(name) or NONE) for name in names - {parameter})


def _effects(unit: Unit, end: State, namespace: Namespace, builtins: AbstractSet[str]) -> Effects:
    record = unit.record
    wide = record.reads_all or record.binds_all
    everything = frozenset(namespace.data | namespace.parameters.keys()) if wide else frozenset()
    bound_here = everything if record.binds_all else frozenset()
    return Effects(
        reads=frozenset((record.reads.keys() | record.soft.keys()) - builtins)
        | (everything if record.reads_all else frozenset()),
        binds=frozenset(key for key in end.bound if isinstance(key, str)) if not end.dead else frozenset(),
        may_bind=frozenset(key for key in end.may if isinstance(key, str)) | bound_here,
        mutates=frozenset(record.mutates),
        deletes=frozenset(key for key in end.deleted if isinstance(key, str)) | bound_here,
    )


def _is_setting(unit: Unit, namespace: Namespace) -> bool:
    """Returns whether a statement of a shared cell only changes settings, with what every module can see."""
    if not unit.record.settings or not unit.is_shared or unit.tells_setting:
        return False
    data = namespace.data | namespace.parameters.keys() | MODULE_NAMES
    return not unit.effects.may_bind and not set(unit.record.mentions) & data and not awaits(unit.node)


def _import_from_ipython(graph: Graph) -> None:
    """Adds imports for the names that only an IPython session knows without one, and for the `%mlops` lines' calls."""
    known = {**_FROM_IPYTHON, "nbmlops": ("nbmlops", "")}
    for name in sorted({name for unit in graph.units for name in unit.record.mentions.keys() & known.keys()}):
        if name not in graph.namespace.bindings:
            graph.namespace.imports[name] = [ImportedName(name, *known[name])]


def _skipped_names(notebook: Notebook, namespace: Namespace) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for cell in notebook.cells:
        if cell.role.kind is RoleKind.SKIP:
            for name in _bound_in(parse_cell(cell)):
                if name not in namespace.bindings:
                    found.setdefault(name, cell)
    return found


def _bound_in(units: Sequence[Unit]) -> list[str]:
    return [name for unit in units for name in collect_names([unit.node]).bound]
