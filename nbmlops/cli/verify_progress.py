"""The progress of verifying on stderr: the stages, the cells of the notebook, the steps of the pipeline."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nbmlops.app.verify.verify import CellBegins, Listener, StageBegins, VerifyProgress
from nbmlops.cli.blocks import Line, Tone, printable
from nbmlops.cli.console import is_terminal, show, terminal
from nbmlops.cli.progress import describe


@contextmanager
def verify_progress() -> Iterator[Listener]:
    """Yields what verifying tells its events to."""
    if not is_terminal(sys.stderr):
        yield _print_line
        return
    from rich.progress import Progress as Display
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Display(*columns, console=terminal(sys.stderr), transient=True) as display:
        task = display.add_task("verifying", total=None)
        yield lambda event: display.update(task, description=printable(_line(event).text, one_line=True))


def _line(event: VerifyProgress) -> Line:
    match event:
        case StageBegins(text=text):
            return Line(f"{text} …")
        case CellBegins(cell=cell, number=number, total=total):
            return Line(f"[{number}/{total}] cell {cell}" if cell else f"[{number}/{total}] parameters", Tone.DIM)
        case _:
            return describe(event)


def _print_line(event: VerifyProgress) -> None:
    if not isinstance(event, CellBegins):  # a log would be flooded
        show((_line(event),), stderr=True)
