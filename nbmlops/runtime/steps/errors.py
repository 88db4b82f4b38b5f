"""Why a step failed, told in terms of the source notebook: the report made in the kernel, and its translation.

`report_exception` runs in the step's process and writes plain data; `step_error` runs in the runner's, which knows the
pipeline, and replaces places in generated files by notebook, cell and line.
"""

from __future__ import annotations

import json
import linecache
import signal
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import NbmlopsError
from nbmlops.core.jupyter_tags import RAISES
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.ir import Pipeline, SourceLines, StepMode
from nbmlops.pipeline.run_record import StepError
from nbmlops.runtime.layout import Layout

_MAX_FRAMES = 60
_MAX_MESSAGE = 4000
_OURS = str(Path(__file__).parents[2])
_LESS_MEMORY = "use less data at a time, or give the machine or its container more memory"
_MEMORY_HINT = "the machine may have run out of memory: look at `dmesg`, use less data, or free memory"


class StepCells:
    """The code cells of a step notebook, as places of one text in which they stand one below the other.

    Args:
        notebook: The step notebook.
    """

    def __init__(self, notebook: Path) -> None:
        self._notebook = notebook

    def place(self, file: str, line: int) -> tuple[str, int]:
        """Returns file and line; for a line of a cell, which IPython gives a file of its own, those of the notebook."""
        source = "".join(linecache.getlines(file)).strip() if _is_of_a_cell(file) else ""
        above = 0
        for cell in self._sources() if source else ():
            if cell.strip() == source:
                return str(self._notebook), above + line
            above += cell.count("\n") + 1
        return file, line

    def may_raise(self, source: str) -> bool:
        """Returns whether a cell of this text is tagged as one after whose error the notebook goes on."""
        tagged = [cell for cell in self._cells() if RAISES in cell["metadata"].get("tags", ())]
        return any("".join(cell["source"]).strip() == source.strip() for cell in tagged)

    def _sources(self) -> list[str]:
        return ["".join(cell["source"]) for cell in self._cells()]

    def _cells(self) -> list[Any]:
        try:
            cells = json.loads(self._notebook.read_bytes())["cells"]
        except (OSError, ValueError, KeyError):
            return []  # the error is told without its place
        return [cell for cell in cells if cell["cell_type"] == "code"]


def _is_of_a_cell(file: str) -> bool:
    return file.startswith("<ipython-input") or Path(file).parent.name.startswith("ipykernel_")


def _as_it_is(file: str, line: int) -> tuple[str, int]:
    return file, line


def report_exception(
    error: BaseException, place: Callable[[str, int], tuple[str, int]] = _as_it_is, depth: int = 0
) -> dict[str, Json]:
    """Returns what happened as plain data: class, message, hint, frames, and the exception that led to it.

    Args:
        error: What happened.
        place: Gives file and line of a frame; see `StepCells`.
        depth: How many exceptions it led to.
    """
    frames = traceback.extract_tb(error.__traceback__)
    shown = frames if len(frames) <= _MAX_FRAMES else [*frames[: _MAX_FRAMES // 2], *frames[-_MAX_FRAMES // 2 :]]
    message, hint = (error.message, error.hint) if isinstance(error, NbmlopsError) else (_text(error), "")
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return {
        "name": type(error).__qualname__,
        "message": message,
        "hint": hint,
        "frames": [[*place(frame.filename, frame.lineno or 0), frame.name, frame.line or ""] for frame in shown],
        "cause": report_exception(cause, place, depth + 1) if cause is not None and depth < 5 else None,
    }


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as broken:  # noqa: BLE001 - the text of a user's exception is the user's code
        text = f"<no text: {type(broken).__name__}>"
    return text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}…"


class Place(Struct, frozen=True):
    """A line of the source notebook."""

    cell: int
    line: int


class Places(Struct, frozen=True):
    """Translates places in generated files.

    Attributes:
        pipeline: Holds the source maps.
        layout: Says where the generated files are.
    """

    pipeline: Pipeline
    layout: Layout

    def of(self, file: str, line: int) -> Place | None:
        """Returns where a line of a generated file stands in the notebook, or None for any other line."""
        path = Path(file)
        for step in self.pipeline.steps:
            if step.mode is StepMode.VERBATIM and path == self.layout.folder / step.notebook:
                return place_in(step.lines, line)
        if path.parent != self.layout.package:
            return None
        maps = {f"{step.module}.py": step.lines for step in self.pipeline.steps}
        return place_in({**self.pipeline.lines, **maps}.get(path.name, ()), line)

    def shown(self, file: str) -> str:
        """Returns how to name a file to a person: from the package or library on, never by a machine's path."""
        paths = sysconfig.get_paths()
        folders = (self.layout.folder, self.layout.root, paths["purelib"], paths["platlib"], paths["stdlib"])
        for folder in folders:
            if Path(file).is_relative_to(folder):
                return Path(file).relative_to(folder).as_posix()
        return Path(file).name


def place_in(lines: tuple[SourceLines, ...], line: int) -> Place | None:
    """Returns where a line of a module with this source map stands in the notebook, or None if it was generated."""
    for span in lines:
        if span.line <= line < span.line + span.count:
            return Place(span.cell, span.cell_line + line - span.line)
    return None


def step_error(report: Fields, places: Places) -> StepError:
    """Returns the error of a step from the report of its process."""
    lines: list[str] = []
    cause = report.optional("cause")
    if cause is not None:
        lines += [step_error(cause, places).traceback, "", "which led to:", ""]
    frames = report.rows("frames", (str, int, str, str))
    where: Place | None = None
    returning = False  # the error arose in a generated line of the step's module: where it gives back its names
    shown = []
    for file, line, function, text in _user_frames(frames, places):
        place = places.of(file, line)
        where = place or where
        returning = place is None and Path(file).parent == places.layout.package
        spot = f"cell {place.cell} line {place.line}" if place else f"line {line}"
        name = places.layout.notebook if place else places.shown(file)
        shown.append(f"  {name} {spot}, in {function}" + (f"\n    {text}" if text else ""))
    if shown:
        lines += ["Traceback (most recent call last):", *shown]
    name, message, hint = report.text("name"), report.text("message"), report.text("hint")
    if returning and name == UnboundLocalError.__name__:
        hint = "a later step reads this name, but no line that binds it ran: bind it above, for example to None"
    lines.append(f"{name}: {message}" if message else name)
    return StepError(
        name=name,
        message=message,
        cell=where.cell if where else 0,
        line=where.line if where else 0,
        traceback="\n".join(lines),
        hint=hint,
    )


def _user_frames(frames: tuple[tuple[object, ...], ...], places: Places) -> list[tuple[str, int, str, str]]:
    """Returns the frames from the step's code on; those of the notebook's machinery and of ours are left out."""
    typed = [(str(f[0]), f[1] if isinstance(f[1], int) else 0, str(f[2]), str(f[3])) for f in frames]
    starts = [
        number
        for number, (file, line, *_) in enumerate(typed)
        if Path(file).parent == places.layout.package or places.of(file, line) is not None
    ]
    relevant = typed[starts[0] :] if starts else []
    return [frame for frame in relevant if not frame[0].startswith(_OURS)]


def kernel_death(code: int | None, output: str, *, out_of_memory: bool = False) -> StepError:
    """Returns the error of a step whose process died.

    Args:
        code: Its exit code as `subprocess` gives it (negative for a signal), None where unknown.
        output: The last it wrote to its own standard error.
        out_of_memory: The system killed a process for memory while it ran.
    """
    hint = ""
    if code is None:
        what = "its process died"
    elif code < 0:
        what = f"its process was killed by {_signal_name(-code)}"
        if -code == signal.SIGKILL and out_of_memory:
            what, hint = f"{what}: the system had run out of memory", _LESS_MEMORY
        elif -code == signal.SIGKILL and sys.platform == "linux":
            hint = _MEMORY_HINT
    else:
        what = f"its process ended with exit code {code}"
    return StepError("DeadKernel", what, traceback=output, hint=hint)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
