"""Proposes steps for a notebook: a pure function of its cells, with a reason for each border.

Comes in: a notebook, whose own step tags do not count. Goes out: where steps begin and what they are called, and
which cells are imports, functions or parameters.
"""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from nbmlops.analysis.analyze import analyze, build_graph
from nbmlops.analysis.fidelity.identity import compared_names
from nbmlops.analysis.fidelity.repeatable import unrepeatable_parts
from nbmlops.analysis.graph import Graph
from nbmlops.analysis.imports.quiet_modules import is_quiet
from nbmlops.analysis.mend_steps import Cut, mend
from nbmlops.analysis.model import ClosingNames, NotebookAnalysis, StatementKind
from nbmlops.analysis.namespace import imported_names
from nbmlops.analysis.proposing.borders import cell_borders, heading_borders, inferred_borders
from nbmlops.analysis.proposing.cell_facts import CellFacts, Content, cell_facts, literal_assignment, with_live_names
from nbmlops.analysis.proposing.proposal import MergedBorder, Proposal, ProposedStep, ProposedTag, StepsFrom
from nbmlops.analysis.proposing.step_names import unique
from nbmlops.analysis.rules import check_all
from nbmlops.analysis.statements import Unit
from nbmlops.core.diagnostics import Diagnostic, sort_diagnostics
from nbmlops.notebook.codes import Fault, to_diagnostics
from nbmlops.notebook.model import Notebook, RoleKind
from nbmlops.notebook.retag import has_step_tags, retag

_SHOWN_STEPS = 8
_LARGEST = 12
_TAGS = {Content.IMPORTS: "imports", Content.FUNCTIONS: "functions"}
_WHY = {
    "imports": "nothing but imports: they go where they are needed",
    "functions": "nothing but definitions: they live once in the package",
    "parameters": "literals, each bound once: a run can set them",
}
_BORDERS = {
    StepsFrom.INFERRED: inferred_borders,
    StepsFrom.HEADINGS: heading_borders,
    StepsFrom.PER_CELL: cell_borders,
}


def propose_steps(
    notebook: Notebook,
    source: StepsFrom = StepsFrom.INFERRED,
    closing: ClosingNames = ClosingNames(),  # noqa: B008 - frozen
    local_modules: Mapping[str, str] = MappingProxyType({}),
) -> Proposal:
    """Returns how the notebook could be cut into steps.

    Args:
        notebook: As the reader made it, its star imports written out; `step:` tags do not count.
        source: What the borders come from.
        closing: Names that the configuration gives to the closing stages.
        local_modules: Sources of the modules beside the notebook that its cells import, by dotted name.
    """
    whole = retag(notebook, {})
    if source is StepsFrom.ONE:
        return Proposal(source)
    graph = build_graph(whole, closing, local_modules)
    facts = cell_facts(graph)
    roles = _roles(graph, facts)
    inside = _inside(facts, roles)
    if not inside:
        return Proposal(source)

    analyses: list[tuple[Cut, NotebookAnalysis]] = []

    def check(cut: Cut | None) -> Iterable[Diagnostic]:
        if cut is None:
            return [*whole.diagnostics, *check_all(graph)]
        analyses.append((cut, analyze(retag(notebook, *_tags(cut)), closing, local_modules)))
        return analyses[-1][1].diagnostics

    mended = mend(Cut(tuple(_BORDERS[source](whole, inside)), roles), check)
    if mended.left and source is StepsFrom.INFERRED:
        return Proposal(source)
    cut = mended.cut
    merged = [
        MergedBorder(border.fact.cell.number, border.name, error.code, error.message)
        for border, error in mended.dropped
    ]
    return Proposal(
        source,
        _steps(notebook, cut, next(analysis for tried, analysis in analyses if tried == cut)),
        tuple(ProposedTag(number, tag, _WHY[tag]) for number, tag in cut.roles.items()),
        tuple(merged),
    )


def _tags(cut: Cut) -> tuple[Mapping[int, str], Mapping[int, str]]:
    """Returns what `retag` needs: where steps begin, and the tags of cells that belong to none."""
    names = unique([border.name for border in cut.borders])
    return {b.fact.cell.number: name for b, name in zip(cut.borders, names, strict=True)}, cut.roles


def _roles(graph: Graph, facts: Sequence[CellFacts]) -> dict[int, str]:
    """Returns the tags of cells that belong to no step."""
    by_cell: dict[int, list[Unit]] = {}
    for unit in graph.units:
        by_cell.setdefault(unit.cell.number, []).append(unit)
    above = {fact.cell.number for fact in _preamble(facts)}
    found = {
        fact.cell.number: _TAGS[fact.content]
        for fact in facts
        if fact.content in _TAGS
        and all(_is_shared(graph, unit, fact.cell.number in above) for unit in by_cell[fact.cell.number])
    }
    literals = next((fact for fact in _preamble(facts) if fact.content is Content.LITERALS), None)
    has_parameters = any(cell.role.kind is RoleKind.PARAMETERS for cell in graph.notebook.cells)
    if literals is not None and not has_parameters and _can_be_given(graph, by_cell[literals.cell.number]):
        found[literals.cell.number] = "parameters"
    return dict(sorted(found.items()))


def _is_shared(graph: Graph, unit: Unit, above: bool) -> bool:
    """Returns whether a statement can stand above all steps: it does already, or nothing tells when it runs.

    Args:
        graph: The notebook.
        unit: An import or a definition.
        above: Whether its cell stands above the first one that computes.
    """
    if unit.kind is StatementKind.DEFINITION:
        return above or not unrepeatable_parts(unit.node)
    if unit.kind is not StatementKind.IMPORT:
        return isinstance(unit.node, ast.Expr)  # a docstring
    return above or all(is_quiet(i.module, i.attribute, graph.local_modules) for i in imported_names(unit))


def _preamble(facts: Sequence[CellFacts]) -> Sequence[CellFacts]:
    """Returns the cells above the first one that computes something."""
    first = next((position for position, fact in enumerate(facts) if fact.content is Content.CODE), len(facts))
    return facts[:first]


def _inside(facts: Sequence[CellFacts], roles: Mapping[int, str]) -> Sequence[CellFacts]:
    """Returns the cells that belong to steps: neither those above the first one that computes, nor tagged ones."""
    above = {fact.cell.number for fact in _preamble(facts)}
    return with_live_names([f for f in facts if f.cell.number not in above and f.cell.number not in roles])


def _can_be_given(graph: Graph, units: Iterable[Unit]) -> bool:
    """Returns whether each name of the literal assignments is bound once, is never changed, and has a plain value."""
    changed = {name for unit in graph.units for name in (*unit.effects.mutates, *unit.effects.deletes)}
    changed |= compared_names(graph)
    found = [pair for unit in units if (pair := literal_assignment(unit.node)) is not None]
    return all(
        not name.startswith("__")
        and len(graph.namespace.bindings[name]) == 1
        and name not in changed
        and _is_plain(value)
        for name, value in found
    )


def _is_plain(value: object) -> bool:
    """Returns whether a value can be given on a command line and in a file; a table of data is none that one gives."""
    if isinstance(value, list | dict):
        items = value.values() if isinstance(value, dict) else value
        if len(value) > _LARGEST or any(isinstance(item, list | dict) for item in items):
            return False
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        return not isinstance(value, tuple) and bool(json.loads(text.encode()) == value)
    except (ValueError, TypeError):
        return False


def _steps(notebook: Notebook, cut: Cut, analysis: NotebookAnalysis) -> tuple[ProposedStep, ...]:
    """Returns the steps with what they read, as analysis of the cut notebook found it."""
    inputs = {step.name: step.inputs for step in analysis.steps}
    names, roles = _tags(cut)
    parts = retag(notebook, names, roles)
    return tuple(
        ProposedStep(
            name,
            number,
            tuple(cell.number for cell in parts.cells_of(name)),
            border.reasons,
            inputs.get(name, ()),
            tuple(sorted(border.fact.live)),
        )
        for border, (number, name) in zip(cut.borders, names.items(), strict=True)
    )


def with_proposal(notebook: Notebook, proposal: Proposal) -> Notebook:
    """Returns the notebook cut as proposed, with notes that say so."""
    cut = retag(notebook, proposal.cuts(), proposal.roles())
    faults = [_left_out(reason, borders) for reason, borders in proposal.left_out().items()]
    if proposal.steps:
        faults.append(_note(notebook, proposal))
    return replace(cut, diagnostics=sort_diagnostics([*cut.diagnostics, *to_diagnostics(cut, faults)]))


def _left_out(reason: str, borders: Sequence[MergedBorder]) -> Fault:
    first, more = borders[0], len(borders) - 1
    others = f", and {more} more step{'s' if more != 1 else ''} elsewhere" if more else ""
    message = f"step '{first.step}' could begin here{others}, but then the notebook would be refused: {reason}"
    return Fault(
        "NB109", message, "nothing has to be done; to have the step, correct what the message says", first.cell
    )


def _note(notebook: Notebook, proposal: Proposal) -> Fault:
    names = [step.name for step in proposal.steps]
    more = len(names) - _SHOWN_STEPS
    listed = ", ".join(names[:_SHOWN_STEPS]) + (f" and {more} more" if more > 0 else "")
    count = f"{len(names)} step{'s' if len(names) != 1 else ''}"
    command = f"nbmlops tag {shlex.quote(notebook.path)}"
    if proposal.source is not StepsFrom.INFERRED:
        command += f" --steps {proposal.source.value}"
    if has_step_tags(notebook):
        message = f"the notebook's step tags do not count, as --steps {proposal.source.value} asks: {count}: {listed}"
        return Fault("NB108", message, "leave --steps out to have the steps of the tags")
    made = "inferred" if proposal.source is StepsFrom.INFERRED else f"made by --steps {proposal.source.value}"
    are = "is" if len(names) == 1 else "are"
    return Fault(
        "NB101",
        f"no cell is tagged with a step; {count} {are} {made}: {listed}",
        f"see why: `{command}`; write them into the notebook: `{command} --write`",
    )
