"""What verifying has to say, as blocks: one row for each step, then every difference, then the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbmlops.app.verify_report import ComparedStep, Status, Verification
from nbmlops.cli.blocks import Block, Cell, Line, Table, Tone
from nbmlops.cli.render import diagnostic_blocks

_TONES = {
    Status.EQUAL: Tone.GOOD,
    Status.NONDETERMINISTIC: Tone.WARNING,
    Status.UNCOMPARED: Tone.WARNING,
    Status.DIFFERENT: Tone.BAD,
    Status.REFUSED: Tone.BAD,
    Status.FAILED: Tone.BAD,
}
_TOLD = (Status.DIFFERENT, Status.NONDETERMINISTIC, Status.UNCOMPARED)


def verification_blocks(found: Verification) -> Iterator[Block]:
    """Yields the verdict on each step, what differs, what was left out, and the verdict on the whole."""
    if found.status is Status.REFUSED:
        yield from diagnostic_blocks(found.diagnostics)
        yield Line("refused: the notebook cannot be compiled; correct the errors above", Tone.BAD)
        return
    if found.error is not None:
        error = found.error
        if error.traceback:
            yield Line(error.traceback)
        where = f"cell {error.cell}" if error.cell else "the parameters that were given"
        yield Line(f"failed: the notebook itself fails in {where}: {error.name}: {error.message}", Tone.BAD)
        yield Line("hint: run it top to bottom in a fresh kernel; files that it reads must lie in the project")
        return
    rows = tuple(_row(step) for step in found.steps)
    yield Table("", ("step", "status", "values", "outputs"), rows)
    for step in found.steps:
        yield from _step_lines(step)
    removed = sorted({name for step in found.steps for cell in step.outputs for name in cell.removed})
    if removed:
        yield Line(f"left out of the comparison of outputs where they differ: {', '.join(removed)}", Tone.DIM)
    yield _verdict(found)


def _row(step: ComparedStep) -> tuple[Cell, ...]:
    values = _counted([value.status for value in step.values])
    outputs = _counted([cell.status for cell in step.outputs])
    status = step.status.value if step.reached else "not reached"
    return Cell(step.name), Cell(status, _TONES[step.status]), Cell(values), Cell(outputs)


def _counted(statuses: Sequence[Status]) -> str:
    kinds = (Status.EQUAL, *_TOLD)
    return ", ".join(f"{statuses.count(kind)} {kind.value}" for kind in kinds if kind in statuses) or "none"


def _step_lines(step: ComparedStep) -> Iterator[Line]:
    if step.error:
        yield Line(f"{step.name}: the step fails in the pipeline: {step.error}", Tone.BAD)
    for status in _TOLD:
        for value in step.values:
            if value.status is status:
                yield Line(f"{step.name}: {value.name} is {status.value}: {value.detail}", _TONES[status])
        for cell in step.outputs:
            if cell.status is status:
                yield Line(f"{step.name}: cell {cell.cell} shows something else: {cell.detail}", _TONES[status])


def _verdict(found: Verification) -> Line:
    values = [value.status for step in found.steps for value in step.values]
    outputs = [cell.status for step in found.steps for cell in step.outputs]
    compared = f"{_counted(values)} values, {_counted(outputs)} outputs of cells"
    match found.status:
        case Status.EQUAL:
            return Line(f"equal: notebook and pipeline agree ({compared})", Tone.GOOD)
        case Status.NONDETERMINISTIC:
            return Line(
                f"nondeterministic: two runs of the notebook itself differ; all else is equal ({compared})",
                Tone.WARNING,
            )
        case _:
            return Line(f"different: notebook and pipeline do not agree ({compared})", Tone.BAD)
