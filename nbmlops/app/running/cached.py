"""A run that executed nothing: the outcome of the run that produced the results, judged or registered only if asked."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.app.running.next_commands import next_commands
from nbmlops.app.running.opened import OpenedPipeline
from nbmlops.app.running.outcome import RunOutcome
from nbmlops.app.running.progress import Progress
from nbmlops.app.running.report import write_documents
from nbmlops.app.running.results import KnownResults, ResultsIndex, policy_digest
from nbmlops.app.running.stages import Wants, close_run, registered
from nbmlops.app.wiring import Stores
from nbmlops.gate.verdict import verdict_from_json
from nbmlops.pipeline.run_record import RunStatus
from nbmlops.runtime.schedule.results import StepsResult
from nbmlops.tracking.tracker import RunState

RULES_CHANGED = "the rules changed since this run was judged; to judge it again: nbmlops run --judge"


class Wishes(Struct, frozen=True):
    """What the caller asks of a run that executes nothing.

    Attributes:
        cwd: The folder that paths in the outcome are relative to.
        register: Register the model if its verdict passes and nobody has done so.
        judge: Judge again, by the rules and the champion of now.
        tell: Told when a stage begins.
        closing: Judge and register at all.
    """

    cwd: Path
    register: bool
    judge: bool
    tell: Callable[[Progress], None]
    closing: bool = True


def reuse(
    opened: OpenedPipeline, stores: Stores, result: StepsResult, known: KnownResults, wishes: Wishes
) -> RunOutcome:
    """Returns the outcome of the run that produced these results; MLflow is needed only to judge or to register.

    Args:
        opened: The pipeline.
        stores: Where runs and models are.
        result: What the runner found in the cache.
        known: The run that produced it.
        wishes: What the caller asks for.

    Raises:
        UsageError: the run is gone from the store.
        EnvironmentFault: the tracking store cannot be used.
    """
    folder = Path(os.path.relpath(opened.root / known.record.folder, wishes.cwd)).as_posix()
    record = replace(known.record, steps=result.steps, folder=folder)
    verdict = verdict_from_json(record.verdict) if record.verdict is not None else None
    phase = record.killed_while
    if phase is not None:
        status = RunStatus.SUCCEEDED if verdict is None or verdict.passed else RunStatus.GATE_REJECTED
        record = replace(record, status=status, killed_while=None)
    outcome = RunOutcome(record, verdict)
    if not wishes.closing:
        if phase is not None:
            _end(opened, stores, outcome, known, wishes.cwd, known.policy)
        return replace(outcome, reused=record.run_id)
    judges = opened.judges and (wishes.judge or verdict is None)  # a point of a sweep is not judged in its turn
    if judges:
        again = replace(record, status=RunStatus.SUCCEEDED)
        outcome = close_run(opened, stores, again, result, Wants(wishes.tell, register=wishes.register))
    elif verdict is not None and known.policy != policy_digest(opened.config.policy):
        outcome = replace(outcome, notes=(RULES_CHANGED,))
    unregistered = opened.pipeline.register is not None and outcome.record.model_version is None
    passed = outcome.verdict is not None and outcome.verdict.passed
    if wishes.register and unregistered and passed and outcome.fault is None:
        outcome = registered(opened, stores, outcome, result, Wants(wishes.tell))
    policy = policy_digest(opened.config.policy) if judges else known.policy
    if phase is not None and outcome.fault is None:
        _end(opened, stores, outcome, known, wishes.cwd, policy)
        note = f"run {record.run_id} was killed while {phase}; what was left to do for it is done"
        outcome = replace(outcome, notes=(*outcome.notes, note))
    elif outcome.record != record and outcome.fault is None:
        kept = replace(outcome.record, folder=known.record.folder)
        ResultsIndex(opened.root, opened.pipeline.name).remember(known.digest, kept, policy)
    commands = next_commands(opened, wishes.cwd, outcome.record)
    return replace(outcome, reused=record.run_id, next_commands=commands)


def _end(
    opened: OpenedPipeline, stores: Stores, outcome: RunOutcome, known: KnownResults, cwd: Path, policy: str
) -> None:
    """Brings a run that was killed to its end: documents as it would have written them, its steps as they ran."""
    steps = tuple(
        replace(then, notebook=now.notebook) for then, now in zip(known.record.steps, outcome.record.steps, strict=True)
    )
    record = replace(outcome.record, steps=steps)
    write_documents(cwd, record, stores.tracker, opened.config.notebook or "whole")
    stores.tracker.end_run(record.run_id, RunState.FINISHED)
    kept = replace(record, folder=known.record.folder)
    ResultsIndex(opened.root, opened.pipeline.name).remember(known.digest, kept, policy)
