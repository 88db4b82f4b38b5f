"""What verifying has to say, as blocks: one row for each step, then every difference, then the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nbmlops.app.verify.report import ComparedStep, Status, Verification
from nbmlops.cli.blocks import Block, Cell, Line, Table, Tone
from nbmlops.cli.render import diagnostic_blocks
from nbmlops.data.compare.shown import shortened

_TONES = {
    Status.EQUAL: Tone.GOOD,
    Status.NONDETERMINISTIC: Tone.WARNING,
    Status.UNCOMPARED: Tone.WARNING,
    Status.DIFFERENT: Tone.BAD,
    Status.REFUSED: Tone.BAD,
    Status.FAILED: Tone.BAD,
}
_TOLD = (Status.DIFFERENT, Status.NONDETERMINISTIC, Status.UNCOMPARED)
_MOST_TOLD = 5
_MOST, _MOST_OF_NO_FAULT = 1000, 160


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
    has_logs = any(step.logged for step in found.steps)
    head = ("step", "status", "values", "outputs of cells", *(("logged",) if has_logs else ()))
    yield Table("", head, tuple(_row(step, has_logs) for step in found.steps))
    for step in found.steps:
        yield from _step_lines(step)
    for steps, values in found.joined:
        text = f"{', '.join(steps)} ran in one process: {', '.join(values)} cannot be stored"
        yield Line(text, Tone.WARNING)
    removed = sorted({name for step in found.steps for cell in step.outputs for name in cell.removed})
    if removed:
        yield Line(f"left out where outputs were compared: {', '.join(removed)}", Tone.DIM)
    yield _verdict(found)


def _row(step: ComparedStep, has_logs: bool) -> tuple[Cell, ...]:  # the column is there or not
    status = step.status.value if step.reached else "not reached"
    groups = [step.values, step.outputs, *((step.logged,) if has_logs else ())]
    counts = [Cell(_counted([item.status for item in group])) for group in groups]
    return Cell(step.name), Cell(status, _TONES[step.status]), *counts


def _counted(statuses: Sequence[Status]) -> str:
    kinds = (Status.EQUAL, *_TOLD)
    return ", ".join(f"{statuses.count(kind)} {kind.value}" for kind in kinds if kind in statuses) or "none"


def _step_lines(step: ComparedStep) -> Iterator[Line]:
    if step.error:
        yield Line(f"{step.name}: the step fails in the pipeline: {step.error}", Tone.BAD)
    told = [(v.status, f"value {v.name}", v.detail) for v in step.values]
    told += [(c.status, f"what cell {c.cell} shows", c.detail) for c in step.outputs]
    told += [(r.status, f"{r.kind} {r.name}", r.detail) for r in step.logged]
    for status in _TOLD:
        longest = _MOST_OF_NO_FAULT if status is Status.NONDETERMINISTIC else _MOST
        found = [(what, shortened(detail, longest)) for kind, what, detail in told if kind is status]
        lines = [f"{step.name}: {what} is {status.value}: {detail}" for what, detail in found]
        yield from (Line(line, _TONES[status]) for line in lines[:_MOST_TOLD])
        if len(lines) > _MOST_TOLD:
            yield Line(f"{step.name}: and {len(lines) - _MOST_TOLD} more that are {status.value}", _TONES[status])


def _verdict(found: Verification) -> Line:
    tally = found.tally()
    parts = [f"{name}: {_numbers(kinds)}" for name, kinds in tally.items() if any(kinds.values())]
    compared = f" ({'; '.join(parts)})" if parts else ""
    match found.status:
        case Status.EQUAL:
            return Line(f"equal: notebook and pipeline agree{compared}", Tone.GOOD)
        case Status.NONDETERMINISTIC:
            text = f"nondeterministic: two runs of the notebook itself differ, all else is equal{compared}"
            return Line(text, Tone.WARNING)
        case _:
            return Line(f"different: notebook and pipeline do not agree{compared}", Tone.BAD)


def _numbers(kinds: Mapping[Status, int]) -> str:
    return ", ".join(f"{number} {kind.value}" for kind, number in kinds.items() if number)
