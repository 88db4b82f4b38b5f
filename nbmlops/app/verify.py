"""Verifying: notebook and pipeline run side by side, and are compared value by value and output by output.

Everything happens in scratch copies of the project, one after the other at the same place: the notebook in one fresh
kernel, then the compiled pipeline with a store of its own. When something differs the notebook runs a second time, so
that what it does not do twice the same way is not blamed on the compiler.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from nbmlops.app.compile import Source, compile_options, open_source, star_names
from nbmlops.app.project import default_out
from nbmlops.app.verify_cells import cells_to_run
from nbmlops.app.verify_scratch import copy_project
from nbmlops.compiler.compile import compile_notebook
from nbmlops.core.diagnostics import Diagnostic, Json, has_errors
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import ExitCode
from nbmlops.data.compare_noise import Noise
from nbmlops.data.compare_outputs import CellOutputs, compare_outputs
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.pipeline.run_record import StepRecord
from nbmlops.runtime.events import Event
from nbmlops.runtime.parameters import parse_overrides
from nbmlops.runtime.results import RunOptions, StepsResult
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.witness import CellError, CellToRun, Watched, WatchJob, watch_notebook
from nbmlops.runtime.witness_records import Border
from nbmlops.runtime.witness_verdicts import ValueVerdict, compare_borders, homes_of, names_at_borders

SCHEMA = "nbmlops/verify/1"


class Status(StrEnum):
    """What came out. A notebook, a step, a value and a cell's outputs are said to be one of these."""

    EQUAL = "equal"
    NONDETERMINISTIC = "nondeterministic"
    UNCOMPARED = "uncompared"
    DIFFERENT = "different"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """What the caller asks for.

    Attributes:
        notebook: The notebook as the user named it, relative to `cwd`.
        cwd: The folder that relative paths count from.
        parameters: `name=value` texts.
        once: Do not run the notebook a second time.
        timeout: Seconds a cell may take; None for any time.
    """

    notebook: str
    cwd: Path
    parameters: tuple[str, ...] = ()
    once: bool = False
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class StageBegins:
    """Verifying goes on to something else."""

    text: str


@dataclass(frozen=True, slots=True)
class CellBegins:
    """A cell of the notebook begins: the n-th of all."""

    cell: int
    number: int
    total: int


VerifyProgress = Event | StageBegins | CellBegins
Listener = Callable[[VerifyProgress], None]


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """The verdict on a value at the end of a step."""

    name: str
    status: Status
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ComparedOutputs:
    """The verdict on what a cell shows; `removed` says what was left out of the comparison."""

    cell: int
    status: Status
    detail: str = ""
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedStep:
    """The verdict on a step.

    Attributes:
        name: The step.
        cells: Its cells.
        values: Its values.
        outputs: What its cells show.
        error: Why the step failed in the pipeline although the notebook runs, or "".
        reached: Whether the pipeline came to it.
    """

    name: str
    cells: tuple[int, ...]
    values: tuple[ComparedValue, ...] = ()
    outputs: tuple[ComparedOutputs, ...] = ()
    error: str = ""
    reached: bool = True

    @property
    def status(self) -> Status:
        """The worst of what was compared."""
        if self.error:
            return Status.DIFFERENT
        return _worst([*(value.status for value in self.values), *(cell.status for cell in self.outputs)])


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found.

    Attributes:
        notebook: The notebook as the user named it.
        status: In one word.
        pipeline: The compiled pipeline; None when the notebook was refused.
        steps: The verdicts, step by step.
        diagnostics: What reader, analysis and compiler have to say.
        error: How the notebook itself failed.
        runs: How often the notebook ran.
        seconds: What took how long.
    """

    notebook: str
    status: Status
    pipeline: Pipeline | None = None
    steps: tuple[ComparedStep, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    error: CellError | None = None
    runs: int = 0
    seconds: Mapping[str, float] | None = None

    @property
    def exit_code(self) -> ExitCode:
        """What the process tells its caller."""
        codes = {
            Status.REFUSED: ExitCode.USAGE,
            Status.FAILED: ExitCode.STEP_FAILED,
            Status.DIFFERENT: ExitCode.COMPARISON_FAILED,
        }
        return codes.get(self.status, ExitCode.SUCCESS)


def _worst(statuses: Sequence[Status]) -> Status:
    for status in (Status.DIFFERENT, Status.NONDETERMINISTIC):
        if status in statuses:
            return status
    return Status.EQUAL


def verify(request: VerifyRequest, tell: Listener) -> Verification:
    """Returns whether notebook and pipeline agree, and where they do not.

    Args:
        request: What to verify.
        tell: Told of everything that happens, in order.

    Raises:
        UsageError: the notebook cannot be read, a parameter is wrong, or the project is too large to be copied.
        ConfigError: the configuration is malformed.
        EnvironmentFault: no kernel can be started, or the disk is full.
    """
    source = open_source(request.notebook, request.cwd)
    source = replace(source, repository=source.root)  # a scratch copy holds the project, not what lies around it
    out = default_out(source.root, source.name)
    compiled = compile_notebook(source.notebook, compile_options(source, out, "", "none", star_names(source, None)))
    if compiled.pipeline is None or has_errors(compiled.diagnostics):
        return Verification(request.notebook, Status.REFUSED, diagnostics=compiled.diagnostics)
    with tempfile.TemporaryDirectory(prefix="nbmlops-verify-") as scratch:
        work = _Work(source, request, compiled.pipeline, compiled.files, Path(scratch).resolve(), tell)
        found = work.verify()
    return replace(found, diagnostics=compiled.diagnostics)


class _Work:
    """One verification: three runs at the same place, one after the other."""

    def __init__(
        self,
        source: Source,
        request: VerifyRequest,
        pipeline: Pipeline,
        files: Mapping[str, bytes],
        scratch: Path,
        tell: Listener,
    ) -> None:
        self._source, self._request, self._pipeline, self._files = source, request, pipeline, files
        self._scratch, self._tell = scratch, tell
        self._root = scratch / source.root.name
        self._folder = self._root / default_out(source.root, source.name).relative_to(source.root)
        self._parameters = parse_overrides(pipeline, request.parameters)
        self._cells = cells_to_run(source.notebook, pipeline, self._parameters)
        self._variables = dict(os.environ)
        self._noise = Noise(pipeline.name, datetime.now(UTC))
        self._seconds: dict[str, float] = {}

    def verify(self) -> Verification:
        """Returns what was found."""
        first = self._watch("notebook", "running the notebook")
        if first.error is not None:
            return Verification(
                self._request.notebook, Status.FAILED, self._pipeline, error=first.error, runs=1, seconds=self._seconds
            )
        with self._copy():
            result = self._run_pipeline()
            with self._timed("compare"):
                self._tell(StageBegins("comparing values"))
                values = compare_borders(
                    self._folder, self._pipeline, self._store("notebook"), first.borders, self._variables
                )
                shown = {step.name: self._shown(step, result, first) for step in self._pipeline.steps}
        second = None
        if not self._request.once and _differs(values, shown):
            second = self._watch("notebook again", "running the notebook again: something differs")
        steps = tuple(
            self._step(step, record, values.get(step.name, ()), shown[step.name], first, second)
            for step, record in zip(self._pipeline.steps, result.steps, strict=True)
        )
        status = _worst([step.status for step in steps])
        runs = 1 if second is None else 2
        return Verification(self._request.notebook, status, self._pipeline, steps, runs=runs, seconds=self._seconds)

    def _watch(self, stage: str, text: str) -> Watched:
        self._tell(StageBegins(text))
        numbers = [cell.number for cell in self._cells]
        begun: list[int] = []

        def on_cell(number: int) -> None:
            begun.append(number)
            self._tell(CellBegins(number, len(begun), len(numbers)))

        job = WatchJob(
            cells=self._cells,
            names=names_at_borders(self._pipeline),
            homes=homes_of(self._pipeline),
            folder=self._root / self._source.path.parent.relative_to(self._source.root),
            root=self._root,
            store=self._store(stage),
            timeout=self._request.timeout,
        )
        with self._copy(), self._timed(stage):
            return watch_notebook(job, self._variables, on_cell)

    def _run_pipeline(self) -> StepsResult:
        self._tell(StageBegins("running the pipeline"))
        options = RunOptions(parameters=self._parameters, base=self._root, timeout=self._request.timeout)
        with self._timed("pipeline"):
            return run_pipeline(self._folder, options, self._tell)

    @contextmanager
    def _copy(self) -> Iterator[None]:
        """Has a fresh copy of the project, with the compiled pipeline in it, at the one place."""
        with self._timed("copy"):
            copy_project(self._source.root, self._root)
            for path, content in self._files.items():
                write_atomically(self._root / path, content)
        try:
            yield
        finally:
            shutil.rmtree(self._root, ignore_errors=True)  # the rest goes with the scratch folder

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begun = datetime.now(UTC)
        try:
            yield
        finally:
            spent = (datetime.now(UTC) - begun).total_seconds()
            self._seconds[stage] = round(self._seconds.get(stage, 0.0) + spent, 2)

    def _store(self, stage: str) -> Path:
        return self._scratch / "stores" / stage.replace(" ", "-")

    def _shown(self, step: Step, result: StepsResult, first: Watched) -> tuple[CellOutputs, ...]:
        record = next(record for record in result.steps if record.name == step.name)
        path = self._root / record.notebook
        if not record.notebook or not path.is_file():
            return ()
        cells = json.loads(path.read_bytes())["cells"]
        outputs: list[Mapping[str, Any]] = [output for cell in cells for output in cell.get("outputs", ())]
        return compare_outputs(_outputs(self._cells_of(step), first), outputs, self._noise)

    def _cells_of(self, step: Step) -> tuple[CellToRun, ...]:
        return tuple(cell for cell in self._cells if cell.number in step.cells)

    def _step(
        self,
        step: Step,
        record: StepRecord,
        values: Sequence[ValueVerdict],
        shown: Sequence[CellOutputs],
        first: Watched,
        second: Watched | None,
    ) -> ComparedStep:
        unstable = _unstable_names(first.borders.get(step.name), second, step.name)
        compared = tuple(
            ComparedValue(value.name, *_blamed(value.status, value.detail, value.name in unstable)) for value in values
        )
        moved = self._moved(step, first, second)
        outputs = tuple(
            ComparedOutputs(
                cell.cell,
                *_blamed(cell.status, cell.detail, cell.places <= moved.get(cell.cell, frozenset())),
                cell.removed,
            )
            for cell in shown
        )
        error = f"{record.error.name}: {record.error.message}" if record.error else ""
        return ComparedStep(step.name, step.cells, compared, outputs, error, bool(record.notebook))

    def _moved(self, step: Step, first: Watched, second: Watched | None) -> dict[int, frozenset[int]]:
        """Returns for each cell which of its outputs are others when the notebook runs again."""
        if second is None:
            return {}
        ours = _outputs(self._cells_of(step), first)
        again = [output for _, outputs in _outputs(self._cells_of(step), second) for output in outputs]
        return {found.cell: found.places for found in compare_outputs(ours, again, self._noise)}


def _outputs(cells: Sequence[CellToRun], watched: Watched) -> list[tuple[int, Sequence[Mapping[str, Any]]]]:
    return [(cell.number, watched.outputs.get(cell.number, ())) for cell in cells]


def _differs(values: Mapping[str, Sequence[ValueVerdict]], shown: Mapping[str, Sequence[CellOutputs]]) -> bool:
    statuses = [verdict.status for found in values.values() for verdict in found]
    statuses += [cell.status for found in shown.values() for cell in found]
    return Status.DIFFERENT.value in statuses


def _blamed(status: str, detail: str, unstable: bool) -> tuple[Status, str]:  # the notebook's own doing, or not
    if status == Status.DIFFERENT.value and unstable:
        return Status.NONDETERMINISTIC, f"nondeterministic in the notebook: two runs of it differ; here: {detail}"
    return Status(status), detail


def _unstable_names(first: Border | None, second: Watched | None, step: str) -> frozenset[str]:
    """Returns the names whose values are others when the notebook runs again."""
    if first is None or second is None:
        return frozenset()
    again = {value.name: value for value in second.borders.get(step, Border(step)).values}
    return frozenset(
        value.name
        for value in first.values
        if value.name not in again
        or (value.fingerprint, value.facts) != (again[value.name].fingerprint, again[value.name].facts)
    )


def verification_to_json(found: Verification) -> dict[str, Json]:
    """Returns the document of `verify --format json`."""
    return {
        "schema": SCHEMA,
        "status": found.status.value,
        "notebook": found.notebook,
        "pipeline": found.pipeline.name if found.pipeline else "",
        "steps": [_step_to_json(step) for step in found.steps],
        "diagnostics": [diagnostic.to_json() for diagnostic in found.diagnostics],
        "error": _error_to_json(found.error),
        "counts": counts(found),
        "notebook_runs": found.runs,
        "seconds": dict(found.seconds or {}),
    }


def counts(found: Verification) -> dict[str, Json]:
    """Returns how many values and cells' outputs have each status."""
    return {
        "values": _tally([value.status for step in found.steps for value in step.values]),
        "outputs": _tally([cell.status for step in found.steps for cell in step.outputs]),
    }


def _tally(statuses: Sequence[Status]) -> dict[str, Json]:
    kinds = (Status.EQUAL, Status.DIFFERENT, Status.NONDETERMINISTIC, Status.UNCOMPARED)
    return {kind.value: statuses.count(kind) for kind in kinds}


def _step_to_json(step: ComparedStep) -> dict[str, Json]:
    return {
        "name": step.name,
        "status": step.status.value,
        "cells": list(step.cells),
        "values": [{"name": v.name, "status": v.status.value, "detail": v.detail} for v in step.values],
        "outputs": [
            {"cell": c.cell, "status": c.status.value, "detail": c.detail, "removed": list(c.removed)}
            for c in step.outputs
        ],
        "error": step.error,
        "reached": step.reached,
    }


def _error_to_json(error: CellError | None) -> Json:
    if error is None:
        return None
    return {"cell": error.cell, "name": error.name, "message": error.message, "traceback": error.traceback}
