"""Groups statements into steps and works out what each step does as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby

from nbmlops.analysis.fidelity.modes import choose_modes, in_namespace
from nbmlops.analysis.graph import Graph, Place, StepNode
from nbmlops.analysis.imports.definitions import acts_early, closure
from nbmlops.analysis.model import SETUP_STEP, Effects, Placement, StatementKind
from nbmlops.analysis.namespace import block_uses
from nbmlops.analysis.statements import Unit, has_effect
from nbmlops.notebook.model import Cell, Notebook, RoleKind


def home_of(notebook: Notebook) -> dict[int, str]:
    """Returns for each cell number the step that its code runs in, "" for parameters, skipped cells and text."""
    names = notebook.step_names()
    homes = {}
    for cell in notebook.cells:
        match cell.role.kind:
            case RoleKind.STEP:
                homes[cell.number] = cell.role.step
            case RoleKind.METRICS:
                homes[cell.number] = names[-1] if names else SETUP_STEP
            case RoleKind.SHARED | RoleKind.SETUP:
                homes[cell.number] = SETUP_STEP
            case _:
                homes[cell.number] = ""
    return homes


def in_running_order(notebook: Notebook, units: Sequence[Unit]) -> list[Unit]:
    """Returns the statements in the order in which the pipeline runs them: parameters, shared code, steps."""
    order = {name: position for position, name in enumerate(("", SETUP_STEP, *notebook.step_names()))}
    return sorted(units, key=lambda unit: (order[unit.home], unit.place()))


def build_steps(graph: Graph) -> list[StepNode]:
    """Returns the steps with their statements and effects; a setup step only where shared cells make values."""
    cells: dict[str, list[Cell]] = defaultdict(list)
    for number, home in home_of(graph.notebook).items():
        cell = graph.notebook.cells[number - 1]
        cells[SETUP_STEP if cell.role.kind is RoleKind.PARAMETERS else home].append(cell)
    steps = {name: StepNode(name) for name in graph.notebook.step_names()}
    early = [unit for name, unit in graph.namespace.definitions.items() if acts_early(graph, name)]
    makes_setup = any(_makes_setup(unit) for unit in graph.units) or any(unit.home == SETUP_STEP for unit in early)
    if SETUP_STEP not in steps and makes_setup:
        steps = {SETUP_STEP: StepNode(SETUP_STEP), **steps}
    for unit in graph.units:
        if unit.home in steps and unit.kind is StatementKind.CODE and (_makes_setup(unit) or unit.home != SETUP_STEP):
            steps[unit.home].units.append(unit)
    uses = {name: definition.uses for name, definition in graph.definitions.items()}
    uses |= {n: block_uses(graph.namespace, block) for block, names in graph.namespace.blocks.items() for n in names}
    everything = frozenset(graph.namespace.data | graph.namespace.parameters.keys())
    for step in steps.values():
        step.units += [
            u for n, u in graph.namespace.definitions.items() if u.home == step.name and acts_early(graph, n)
        ]
        named = {name for unit in step.units for name in (*unit.record.mentions, unit.defines())}
        known = named & (graph.definitions.keys() | graph.namespace.constants.keys())
        step.closure = closure(uses, known)
        _add_own_definitions(graph, step)
        _compose(step, everything)
    graph.steps = list(steps.values())
    for step in choose_modes(graph):
        step.closure = closure(uses, step.closure | in_namespace(graph, step))
        _add_own_definitions(graph, step)
        _compose(step, everything)
    for step in graph.steps:
        own = {unit.cell.number for unit in step.units}
        step.cells = [cell for cell in cells[step.name] if cell.role.kind is RoleKind.STEP or cell.number in own]
    return graph.steps


def _makes_setup(unit: Unit) -> bool:
    return unit.home == SETUP_STEP and unit.kind is StatementKind.CODE and has_effect(unit)


def _add_own_definitions(graph: Graph, step: StepNode) -> None:
    """Puts definitions that stay in a step where they stand, if they stand in its cells and it uses them.

    Those of shared cells are rebuilt wherever they are used.
    """
    for name in step.closure & graph.definitions.keys():
        unit = graph.namespace.definitions[name]
        is_own = unit.home == step.name and unit.cell.role.kind is RoleKind.STEP
        if is_own and graph.definitions[name].placement is Placement.STEP and unit not in step.units:
            step.units.append(unit)
    step.units.sort(key=Unit.place)


def _compose(step: StepNode, everything: frozenset[str]) -> None:
    """Works out what the statements do one after the other; `everything` is the data of the notebook."""
    bound: set[str] = set()
    may: set[str] = set()
    deleted: set[str] = set()
    mutated: set[str] = set()
    read: set[str] = set()
    for cell, units in groupby(step.units, key=lambda unit: unit.cell):
        before = frozenset(bound)
        for unit in units:
            read |= _note_reads(step, unit, bound, may, everything)
            effects = unit.effects
            mutated |= effects.mutates
            may |= effects.may_bind
            bound = (bound | effects.binds) - effects.deletes
            deleted = (deleted - effects.binds) | effects.deletes
        if cell.may_raise:
            bound &= before
    if step.binds_all:
        may, deleted = may | everything, deleted | everything
    step.reached = frozenset(step.reads.keys() - read - step.mentions.keys())
    step.effects = Effects(
        frozenset(step.reads) | frozenset(step.soft),
        frozenset(bound),
        frozenset(may),
        frozenset(mutated),
        frozenset(deleted),
    )


def _note_reads(step: StepNode, unit: Unit, bound: set[str], may: set[str], everything: frozenset[str]) -> set[str]:
    """Notes what a statement reads and mentions; returns the names that it reads from before the step."""
    record = unit.record
    for name, node in record.mentions.items():
        if name not in step.mentions:
            step.mentions[name] = Place(unit, node)
    for found, names in ((step.reads, record.reads), (step.soft, record.soft), (step.reads, record.mutates)):
        for name, node in names.items():
            if name not in bound and name not in found:
                found[name] = Place(unit, node)
    read = (record.reads.keys() | record.soft.keys()) - bound
    if record.reads_all is not None or step.reads_all:
        for name in everything - bound:
            step.reads.setdefault(name, Place(unit, record.reads_all or unit.node))
        read |= everything - bound
    for name, node in record.strict.items():
        if name not in bound and name not in may:
            step.strict.setdefault(name, Place(unit, node))
    return read
