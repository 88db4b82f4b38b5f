"""What verifying finds, as records, and as the document that `nbmlops verify --format json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.core.diagnostics import Diagnostic, Json
from nbmlops.core.errors import ExitCode
from nbmlops.pipeline.ir import Pipeline
from nbmlops.runtime.witness.witness import CellError

SCHEMA = "nbmlops/verify/1"


class Status(StrEnum):
    """What came out. `EQUAL` to `UNCOMPARED` are said of values and outputs; all but `UNCOMPARED` of a notebook."""

    EQUAL = "equal"
    DIFFERENT = "different"
    NONDETERMINISTIC = "nondeterministic"
    UNCOMPARED = "uncompared"
    REFUSED = "refused"
    FAILED = "failed"


KINDS = (Status.EQUAL, Status.DIFFERENT, Status.NONDETERMINISTIC, Status.UNCOMPARED)


class ComparedValue(Struct, frozen=True):
    """The verdict on a value at the end of a step."""

    name: str
    status: Status
    detail: str = ""


class ComparedOutputs(Struct, frozen=True):
    """The verdict on what a cell shows; `removed` says what was left out of the comparison."""

    cell: int
    status: Status
    detail: str = ""
    removed: tuple[str, ...] = ()


class ComparedRecord(Struct, frozen=True):
    """The verdict on something that a step logs: `kind` is param, metric, data or check."""

    kind: str
    name: str
    status: Status
    detail: str = ""


class ComparedStep(Struct, frozen=True):
    """The verdict on a step.

    Attributes:
        name: The step.
        cells: Its cells.
        after: The steps whose values it reads, or that must run before it.
        values: Its values.
        outputs: What its cells show.
        logged: What it logs.
        error: Why it failed in the pipeline although the notebook runs, or "".
        reached: Whether the pipeline came to it.
    """

    name: str
    cells: tuple[int, ...]
    after: tuple[str, ...] = ()
    values: tuple[ComparedValue, ...] = ()
    outputs: tuple[ComparedOutputs, ...] = ()
    logged: tuple[ComparedRecord, ...] = ()
    error: str = ""
    reached: bool = True

    @property
    def status(self) -> Status:
        """The worst of what was compared."""
        if self.error or not self.reached:
            return Status.DIFFERENT
        kinds = (self.values, self.outputs, self.logged)
        return worst([item.status for items in kinds for item in items])


class Verification(Struct, frozen=True):
    """What verifying found.

    Attributes:
        notebook: The notebook as the user named it.
        status: In one word.
        pipeline: The compiled pipeline; None when the notebook was refused.
        steps: The verdicts, step by step.
        diagnostics: What reader, analysis and compiler have to say.
        error: How the notebook itself failed.
        joined: Steps that ran in one process, each group with the values that force it.
        runs: How often the notebook ran.
        seconds: What took how long.
    """

    notebook: str
    status: Status
    pipeline: Pipeline | None = None
    steps: tuple[ComparedStep, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    error: CellError | None = None
    joined: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    runs: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def exit_code(self) -> ExitCode:
        """What the process tells its caller."""
        codes = {
            Status.REFUSED: ExitCode.USAGE,
            Status.FAILED: ExitCode.STEP_FAILED,
            Status.DIFFERENT: ExitCode.COMPARISON_FAILED,
        }
        return codes.get(self.status, ExitCode.SUCCESS)

    def tally(self) -> dict[str, dict[Status, int]]:
        """Returns how many values, outputs of cells and log entries have each status."""
        groups: dict[str, list[Status]] = {
            "values": [value.status for step in self.steps for value in step.values],
            "outputs": [cell.status for step in self.steps for cell in step.outputs],
            "logged": [record.status for step in self.steps for record in step.logged],
        }
        return {name: {kind: statuses.count(kind) for kind in KINDS} for name, statuses in groups.items()}


def worst(statuses: Sequence[Status]) -> Status:
    """Returns what is to be said of the whole: what was not compared is counted, and does not change it."""
    return next((kind for kind in (Status.DIFFERENT, Status.NONDETERMINISTIC) if kind in statuses), Status.EQUAL)


def verification_to_json(found: Verification) -> dict[str, Json]:
    """Returns the document of `verify --format json`."""
    tally = found.tally()
    return {
        "schema": SCHEMA,
        "status": found.status.value,
        "notebook": found.notebook,
        "pipeline": found.pipeline.name if found.pipeline else "",
        "steps": [_step_to_json(step) for step in found.steps],
        "diagnostics": [diagnostic.to_json() for diagnostic in found.diagnostics],
        "error": _error_to_json(found.error),
        "counts": {name: {kind.value: number for kind, number in kinds.items()} for name, kinds in tally.items()},
        "joined": [{"steps": list(steps), "values": list(values)} for steps, values in found.joined],
        "notebook_runs": found.runs,
        "seconds": dict(found.seconds),
    }


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
        "logged": [{"kind": r.kind, "name": r.name, "status": r.status.value, "detail": r.detail} for r in step.logged],
        "error": step.error,
        "reached": step.reached,
    }


def _error_to_json(error: CellError | None) -> Json:
    if error is None:
        return None
    return {"cell": error.cell, "name": error.name, "message": error.message, "traceback": error.traceback}
