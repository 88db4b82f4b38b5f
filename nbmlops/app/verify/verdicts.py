"""From evidence to verdicts: what differs, and whether the notebook itself differs there when it runs again. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from nbmlops.app.verify.logs import compare_logs
from nbmlops.app.verify.report import ComparedOutputs, ComparedRecord, ComparedStep, ComparedValue, Status
from nbmlops.data.compare.noise import Noise
from nbmlops.data.compare.outputs import compare_outputs
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.pipeline.run_record import StepLog, StepRecord
from nbmlops.runtime.witness.records import Border
from nbmlops.runtime.witness.verdicts import ValueVerdict
from nbmlops.runtime.witness.witness import Watched
from nbmlops.tracking.notebook_redaction import redact_output
from nbmlops.tracking.redacted import redact_log
from nbmlops.tracking.redaction import process_redactor

Shown = Sequence[Mapping[str, Any]]


class Evidence(Struct, frozen=True):
    """What is known of both sides.

    Attributes:
        pipeline: The pipeline.
        first: The run of the notebook.
        records: The run of the pipeline, step by step.
        values: Step -> verdicts on the values at its end.
        executed: Step -> what its notebook showed.
        noise: Knows what is no part of a result.
        second: Another run of the notebook; None as long as nobody needs it.
    """

    pipeline: Pipeline
    first: Watched
    records: Sequence[StepRecord]
    values: Mapping[str, Sequence[ValueVerdict]]
    executed: Mapping[str, Shown]
    noise: Noise
    second: Watched | None = None


def compared_steps(evidence: Evidence) -> tuple[ComparedStep, ...]:
    """Returns the verdict on each step, in order."""
    pairs = zip(evidence.pipeline.steps, evidence.records, strict=True)
    return tuple(_step(evidence, step, record) for step, record in pairs)


def _step(evidence: Evidence, step: Step, record: StepRecord) -> ComparedStep:
    reached = bool(record.notebook)
    return ComparedStep(
        name=step.name,
        cells=step.cells,
        after=step.after,
        values=tuple(_values(evidence, step)),
        outputs=tuple(_outputs(evidence, step)) if reached else (),
        logged=tuple(_logged(evidence, step, record)) if reached else (),
        error=f"{record.error.name}: {record.error.message}" if record.error else "",
        reached=reached,
    )


def _values(evidence: Evidence, step: Step) -> Iterator[ComparedValue]:
    unstable = _unstable_names(evidence, step)
    for value in evidence.values.get(step.name, ()):
        yield ComparedValue(value.name, *_blamed(value.status, value.detail, unstable=value.name in unstable))


def _unstable_names(evidence: Evidence, step: Step) -> frozenset[str]:
    """Returns the names whose values are others when the notebook runs again."""
    if evidence.second is None:
        return frozenset()
    nothing = Border(step.name)
    again = {value.name: value for value in evidence.second.borders.get(step.name, nothing).values}
    return frozenset(
        value.name
        for value in evidence.first.borders.get(step.name, nothing).values
        if value.name not in again
        or (value.fingerprint, value.facts) != (again[value.name].fingerprint, again[value.name].facts)
    )


def _outputs(evidence: Evidence, step: Step) -> Iterator[ComparedOutputs]:
    ours = _shown(evidence.first, step)
    moved = {}
    if evidence.second is not None:
        again = [output for _, outputs in _shown(evidence.second, step) for output in outputs]
        moved = {found.cell: found.places for found in compare_outputs(ours, again, evidence.noise)}
    for found in compare_outputs(ours, evidence.executed[step.name], evidence.noise):
        unstable = found.places <= moved.get(found.cell, frozenset())
        yield ComparedOutputs(found.cell, *_blamed(found.status, found.detail, unstable=unstable), found.removed)


def _shown(watched: Watched, step: Step) -> list[tuple[int, Shown]]:
    # What the pipeline shows is read from its executed notebooks, which hold no secrets.
    redactor = process_redactor()
    return [
        (number, [redact_output(output, "verify", redactor) for output in watched.outputs[number]])
        for number in step.cells
        if number in watched.outputs
    ]


def _logged(evidence: Evidence, step: Step, record: StepRecord) -> Iterator[ComparedRecord]:
    ours, unstable = _log(evidence.first, step), set[tuple[str, str]]()
    if evidence.second is not None:
        again = compare_logs(ours, _log(evidence.second, step))
        unstable = {(kind, name) for kind, name, status, _ in again if status == Status.DIFFERENT.value}
    for kind, name, status, detail in compare_logs(ours, record.log):
        yield ComparedRecord(kind, name, *_blamed(status, detail, unstable=(kind, name) in unstable))


def _log(watched: Watched, step: Step) -> StepLog:
    return redact_log(watched.borders.get(step.name, Border(step.name)).log, process_redactor())


def _blamed(status: str, detail: str, *, unstable: bool) -> tuple[Status, str]:
    """Returns status and detail; what the notebook does not do twice the same way is not blamed on the pipeline."""
    if status == Status.DIFFERENT.value and unstable:
        return Status.NONDETERMINISTIC, f"two runs of the notebook itself differ; here: {detail}"
    return Status(status), detail
