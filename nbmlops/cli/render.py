"""What inspecting and compiling have to say, as blocks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from nbmlops.app.compiling.compile import CompileOutcome, CompileStatus
from nbmlops.app.compiling.inspect import Inspection
from nbmlops.cli.blocks import Block, Cell, Line, Table, Tone, Tree, cells, shown_value
from nbmlops.core.diagnostics import Diagnostic, Severity, render_diagnostic
from nbmlops.pipeline.ir import Pipeline, Step, StepMode

_SEVERITY_TONES = {Severity.ERROR: Tone.BAD, Severity.WARNING: Tone.WARNING, Severity.NOTE: Tone.DIM}


def diagnostic_blocks(diagnostics: Sequence[Diagnostic]) -> Iterator[Block]:
    """Yields every diagnostic with its place and hint, and how many there are."""
    for diagnostic in diagnostics:
        yield Line(render_diagnostic(diagnostic), _SEVERITY_TONES[diagnostic.severity])
        yield Line()
    if diagnostics:
        yield Line(_counted(diagnostics))


def _counted(diagnostics: Sequence[Diagnostic]) -> str:
    parts = []
    for severity in Severity:
        count = sum(diagnostic.severity is severity for diagnostic in diagnostics)
        if count:
            parts.append(f"{count} {severity.value}{'s' if count != 1 else ''}")
    return ", ".join(parts)


def inspection_blocks(inspection: Inspection) -> Iterator[Block]:
    """Yields steps, parameters, closing stages and problems of a notebook."""
    source, pipeline = inspection.source, inspection.compiled.shown
    title = f": {source.notebook.title}" if source.notebook.title else ""
    yield Line(f"{source.notebook.path}{title}", Tone.STRONG)
    if pipeline is not None:
        yield from pipeline_blocks(pipeline)
    yield from diagnostic_blocks(inspection.compiled.diagnostics)
    if inspection.compiled.suppressed:
        yield Line(f"left out, as their cells ask: {_counted(inspection.compiled.suppressed)}", Tone.DIM)
    if pipeline is not None:
        yield Line(f"nbmlops compile {source.notebook.path} would write {inspection.out}", Tone.DIM)


def pipeline_blocks(pipeline: Pipeline) -> Iterator[Block]:
    """Yields the steps with their dataflow, the parameters, and the closing stages."""
    yield Line()
    for step in pipeline.steps:
        yield from _step_lines(step)
    yield Line()
    yield Line(_emitted(pipeline.steps), Tone.DIM)
    if pipeline.parameters:
        parameters = tuple(cells(p.name, p.type.value, shown_value(p.default), p.comment) for p in pipeline.parameters)
        yield Table("parameters", ("name", "type", "default", "comment"), parameters)
    if pipeline.gate:
        metrics = sorted({*(m for step in pipeline.steps for m in step.metrics), *(m.name for m in pipeline.metrics)})
        yield Line(f"gate: judges {', '.join(metrics) if metrics else 'the metrics of the run'}")
    if pipeline.register:
        stage = pipeline.register
        data = f", trained on {stage.data.name}" if stage.data else ""
        yield Line(f"register: {stage.model.name} as {stage.model_name}{data}")


def _step_lines(step: Step) -> Iterator[Line]:
    """Yields a step as lines rather than as a row: many names do not fit into the columns of a terminal."""
    numbers = ", ".join(str(number) for number in step.cells)
    yield Line(f"{step.name}  (cell{'s' if len(step.cells) != 1 else ''} {numbers})", Tone.STRONG)
    sources = dict.fromkeys(value.step for value in step.inputs)
    reads = "; ".join(
        f"{', '.join(value.name for value in step.inputs if value.step == source)} from {source}" for source in sources
    )
    facts = {"reads": reads, "hands over": ", ".join(step.outputs), "parameters": ", ".join(step.parameters)}
    if step.mode is not StepMode.FUNCTION:
        facts[step.mode.value] = step.reason
    yield from (Line(f"  {name:<10}  {text}") for name, text in facts.items() if text)


def _verbatim_lines(pipeline: Pipeline | None) -> Iterator[Line]:
    """Yields the steps whose cells stand in their notebooks as they are, and why."""
    steps = [step for step in pipeline.steps if step.mode is StepMode.VERBATIM] if pipeline else []
    if steps and pipeline:
        yield Line(f"{_emitted(pipeline.steps)}, {len(steps)} verbatim")
        yield from (Line(f"  {step.name}: {step.reason}") for step in steps)


def _emitted(steps: Sequence[Step]) -> str:
    functions = sum(step.mode is StepMode.FUNCTION for step in steps)
    return f"{len(steps)} step{'s' if len(steps) != 1 else ''}, {functions} emitted as functions"


def graph_lines(pipeline: Pipeline) -> str:
    """Returns the dataflow as text: each step, and below it what it reads and from where."""
    lines = []
    for step in pipeline.steps:
        lines.append(step.name)
        sources = dict.fromkeys([*(value.step for value in step.inputs), *step.after])
        for source in sources:
            names = ", ".join(value.name for value in step.inputs if value.step == source)
            lines.append(f"  <- {source}" + (f": {names}" if names else ""))
    return "\n".join(lines)


def compile_blocks(outcome: CompileOutcome) -> Iterator[Block]:
    """Yields what compiling did: diagnostics, the tree of files, what differs, and what to do next."""
    yield from diagnostic_blocks(outcome.compiled.diagnostics)
    yield from _tree(outcome)
    yield from (Line(f"note: {note}", Tone.WARNING) for note in outcome.notes)
    yield from _verbatim_lines(outcome.compiled.pipeline)
    match outcome.status:
        case CompileStatus.WRITTEN:
            yield Line(f"compiled into {outcome.out}", Tone.GOOD)
            yield Line(f"next: nbmlops run {shlex.quote(outcome.out)}")
        case CompileStatus.UNCHANGED:
            yield Line(f"{outcome.out} is up to date", Tone.GOOD)
        case CompileStatus.STALE:
            yield Line(f"{outcome.out} is stale: it is not what the notebook compiles to now", Tone.BAD)
            yield Line("hint: run the same command without --check, and commit what it writes")
        case CompileStatus.PLANNED:
            yield Line("nothing was written (--dry-run)")
        case CompileStatus.REFUSED:
            yield Line("not compiled: correct the errors above", Tone.BAD)


def _tree(outcome: CompileOutcome) -> Iterator[Tree]:
    changes = outcome.changes
    if changes is None:
        return
    notes = (
        dict.fromkeys(changes.new, Cell("new", Tone.GOOD))
        | dict.fromkeys(changes.changed, Cell("changed", Tone.WARNING))
        | dict.fromkeys(changes.removed, Cell("removed", Tone.BAD))
        | dict.fromkeys(changes.hand_edited, Cell("edited by hand", Tone.BAD))
    )
    only_differences = outcome.status in {CompileStatus.STALE, CompileStatus.PLANNED}
    paths = sorted(notes if only_differences else {*outcome.compiled.files, *notes})
    if outcome.status is not CompileStatus.UNCHANGED and paths:
        yield Tree(outcome.base or ".", tuple((path, notes.get(path, Cell(""))) for path in paths))
