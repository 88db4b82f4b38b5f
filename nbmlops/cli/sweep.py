"""`nbmlops run` at many points: a sweep, compared as a table, as a page with pictures, as a document."""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.app.running.run import RunRequest
from nbmlops.app.sweep.record import PointStatus, SweepOutcome, SweepPoint, SweepRecord, ranked, varied
from nbmlops.app.sweep.sweep import PAGE_FILE, plan_sweep, sweep
from nbmlops.cli.blocks import Block, Cell, Line, Table, Tone, shown_value
from nbmlops.cli.commands.run import working
from nbmlops.cli.console import show_error
from nbmlops.cli.options import emit
from nbmlops.cli.render_run import run_blocks
from nbmlops.cli.run_documents import sweep_document
from nbmlops.cli.sweep_html import sweep_page
from nbmlops.gate.numerals import show_number

_MAX_ROWS = 50
_BAR = 20


def run_sweep(request: RunRequest, file: str, best: str, output: str) -> int | None:
    """Runs the sweep that is asked for; returns the exit code, None when each parameter has one value.

    Raises:
        NbmlopsError: as `nbmlops.app.sweep.sweep` does.
    """
    plan = plan_sweep(request, file, best)
    if plan is None:
        return None
    with working() as listener:
        outcome = sweep(request, plan, listener, sweep_page)
    emit(output, lambda: sweep_document(outcome), lambda: sweep_blocks(outcome))
    if outcome.winner is not None and outcome.winner.fault is not None:
        show_error(outcome.winner.fault)
    return int(outcome.exit_code)


def sweep_blocks(outcome: SweepOutcome) -> Iterator[Block]:
    """Yields the comparison of the points, and what became of the best one."""
    record = outcome.record
    yield _table(record)
    for point in record.points:
        if point.error:
            yield Line(f"{_words(point)} failed: {point.error}", Tone.BAD)
            yield Line(f"  {point.folder}", Tone.PATH)
    if record.folder:
        yield Line(f"the comparison with pictures: {record.folder}/{PAGE_FILE}", Tone.PATH)
    yield from (Line(f"note: {note}", Tone.WARNING) for note in outcome.notes)
    if outcome.winner is not None and record.best is not None:
        yield Line(f"the best point: {_words(record.points[record.best])}", Tone.STRONG)
        yield from run_blocks(outcome.winner)
    elif outcome.stopped is not None:
        yield Line("interrupted: what was finished is kept, the same command goes on from there", Tone.WARNING)


def _table(record: SweepRecord) -> Table:
    metric, order = record.objective.metric, ranked(record)
    names = varied(record)
    values = [point.value for point in record.points if point.value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    rows = [
        (
            Cell("best" if position == record.best else "", Tone.GOOD),
            *(Cell(shown_value(record.points[position].parameters.get(name))) for name in names),
            *_result(record.points[position], low, high),
        )
        for position in order[:_MAX_ROWS]
    ]
    if len(order) > _MAX_ROWS:
        rows.append((Cell("…"), Cell(f"{len(order) - _MAX_ROWS} more"), *(Cell("") for _ in range(len(names) + 2))))
    head = ("", *names, metric, " ", "seconds")
    return Table(
        f"points, by {metric} ({record.objective.direction} is better)", head, tuple(rows), frozenset(head[1:]) - {" "}
    )


def _result(point: SweepPoint, low: float, high: float) -> tuple[Cell, Cell, Cell]:
    seconds = Cell(f"{point.seconds:.1f}" if point.seconds else "cached", Tone.DIM)
    if point.value is None:
        bad = Tone.BAD if point.status is PointStatus.FAILED else Tone.DIM
        return Cell(point.status.value if point.status is not PointStatus.SUCCEEDED else "-", bad), Cell(""), seconds
    share = (point.value - low) / (high - low) if high > low else 1.0
    return Cell(show_number(point.value)), Cell("▇" * (1 + round(share * (_BAR - 1))), Tone.DIM), seconds


def _words(point: SweepPoint) -> str:
    return ", ".join(f"{name}={shown_value(value)}" for name, value in point.parameters.items())
