"""Step interfaces from liveness: what each step needs from before, and what it hands over.

Comes in: the steps with their effects, in order. Goes out: inputs with the last possible writer as producer, outputs
that somebody later reads, and the facts for the compiler.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from nbmlops.analysis.certain import surely_bound
from nbmlops.analysis.fidelity.kept import late_reads
from nbmlops.analysis.flow.coroutines import awaits
from nbmlops.analysis.flow.knowledge import BUILTINS
from nbmlops.analysis.flow.record import Record
from nbmlops.analysis.graph import Graph, StepNode
from nbmlops.analysis.model import Placement, StepFacts
from nbmlops.pipeline.ir import DataUse, Input, StepMode

_PARAMETERS = ""


def connect_steps(graph: Graph) -> None:
    """Works out inputs, outputs and parameters of each step, and where the closing stages' values come from."""
    data = graph.namespace.data | graph.namespace.parameters.keys()
    closing = graph.closing
    live = {name for name in (closing.model, closing.data, *closing.metrics.values()) if name} & data
    sure = surely_bound(graph.steps, graph.namespace.parameters, live)
    reads = [
        # A value that is changed through another name travels with that one; a name of its own it need not have.
        step.effects.reads & data - (step.reached - before)
        for step, before in zip(graph.steps, sure, strict=False)
    ]
    outputs: list[frozenset[str]] = []
    for step, read in zip(reversed(graph.steps), reversed(reads), strict=True):
        effects = step.effects
        changed = effects.mutates - (effects.reads & data - read)
        outputs.insert(0, (effects.may_bind | changed | effects.deletes) & live)
        live = (live - effects.binds) | read
    producers = dict.fromkeys(graph.namespace.parameters, _PARAMETERS)
    order = {name: (position, name) for position, name in enumerate(graph.namespace.bindings)}
    for position, (step, handed_over) in enumerate(zip(graph.steps, outputs, strict=True)):
        effects = step.effects
        step.available = frozenset(producers.keys() & step.strict.keys())
        wanted = sorted(reads[position] | (handed_over - effects.binds), key=lambda name: order.get(name, (0, name)))
        step.inputs = tuple(Input(n, producers[n]) for n in wanted if producers.get(n, _PARAMETERS) != _PARAMETERS)
        step.parameters = tuple(
            n for n in graph.namespace.parameters if n in wanted and producers.get(n) == _PARAMETERS
        )
        step.outputs = tuple(sorted(handed_over, key=lambda name: order.get(name, (0, name))))
        step.unsure_inputs = tuple(given.name for given in step.inputs if given.name not in sure[position])
        step.unsure_outputs = tuple(
            name for name in step.outputs if name not in sure[position + 1] and name not in BUILTINS
        )
        producers.update(dict.fromkeys(handed_over, step.name))
        # What is bound and never read later is still there, for messages about names.
        for name in effects.may_bind & data:
            producers.setdefault(name, step.name)
        for name in effects.deletes - handed_over:
            producers.pop(name, None)
    found = (closing.model, closing.data, *closing.metrics.values())
    graph.closing_inputs = {name: Input(name, producers[name]) for name in found if producers.get(name, _PARAMETERS)}


def step_facts(graph: Graph) -> tuple[StepFacts, ...]:
    """Returns the facts about all steps, in order."""
    order = {step.name: position for position, step in enumerate(graph.steps)}
    per_step = [name for name, definition in graph.definitions.items() if definition.placement is Placement.STEP]
    module_level = (graph.definitions.keys() - set(per_step)) | graph.namespace.constants.keys()
    return tuple(_facts(graph, step, order, per_step, module_level) for step in graph.steps)


def _facts(
    graph: Graph, step: StepNode, order: Mapping[str, int], per_step: Iterable[str], module_level: AbstractSet[str]
) -> StepFacts:
    own = {unit.defines() for unit in step.units}
    rebuilt = [name for name in per_step if name in step.closure and name not in own]
    mentions = set(step.mentions) | (step.closure if step.reason else set())
    mentions |= graph.namespace.imports.keys() if step.reads_all else set()
    for name in rebuilt:
        mentions |= graph.namespace.definitions[name].record.mentions.keys()
    records = [unit.record for unit in step.units]
    behind = [graph.namespace.definitions.get(name) or graph.namespace.constants[name] for name in sorted(step.closure)]
    everything = [*records, *(unit.record for unit in behind)]
    before = {given.step for given in step.inputs} | {name for cell in step.cells for name in cell.role.after}
    return StepFacts(
        name=step.name,
        cells=tuple(cell.number for cell in step.cells),
        statements=tuple(unit.statement() for unit in step.units),
        inputs=step.inputs,
        outputs=step.outputs,
        after=tuple(sorted((before & order.keys()) - {step.name}, key=lambda name: order[name])),
        parameters=step.parameters,
        imports=frozenset(mentions & graph.namespace.imports.keys()),
        definitions=frozenset(mentions & module_level),
        rebuilt=tuple(rebuilt),
        files=tuple(dict.fromkeys(path for record in everything for path in record.files)),
        metrics=tuple(dict.fromkeys(_metrics(everything))),
        data=tuple(dict.fromkeys(_data(everything))),
        builtins=_builtins(step),
        late=_late(graph, step),
        unsure_inputs=step.unsure_inputs,
        unsure_outputs=step.unsure_outputs,
        awaits=any(awaits(unit.node) for unit in step.units),
        mode=StepMode.VERBATIM if step.reason else StepMode.FUNCTION,
        reason=step.reason,
        whole=step.reads_all or step.binds_all,
    )


def _late(graph: Graph, step: StepNode) -> tuple[str, ...]:
    read = frozenset(step.soft).union(*(late_reads(graph.callables, unit) for unit in step.units))
    given = {value.name for value in step.inputs} | set(step.parameters)
    return tuple(sorted((read & graph.namespace.data) - given - step.effects.may_bind))


def _builtins(step: StepNode) -> tuple[str, ...]:
    """Returns the names that are Python's own when the step begins, and that it may bind."""
    local = {name for unit in step.units for name in unit.record.touched} | step.effects.may_bind
    given = {value.name for value in step.inputs} | set(step.parameters)
    wanted = (step.reads.keys() | step.soft.keys() | (set(step.outputs) - step.effects.binds)) & BUILTINS
    return tuple(sorted((wanted & local) - given))


def _metrics(records: Iterable[Record]) -> Iterable[str]:
    for record in records:
        for function, call in record.api:
            name = _literal_argument(call, 0, "name") if function == "metric" else ""
            if name:
                yield name


def _data(records: Iterable[Record]) -> Iterable[DataUse]:
    for record in records:
        for function, call in record.api:
            name = _literal_argument(call, 1, "name") if function == "data" else ""
            if name:
                yield DataUse(name, _literal_argument(call, 2, "context"))


def _literal_argument(call: ast.Call, position: int, keyword: str) -> str:
    """Returns a string argument that is written as a literal, or ""."""
    nodes = call.args[position : position + 1]
    nodes += [given.value for given in call.keywords if given.arg == keyword]
    return next((n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)), "")
