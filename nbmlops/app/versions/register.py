"""Registering the model of an earlier run: what its steps stored is loaded again, nothing is executed."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from nbmlops.app.judging.targets import find_target
from nbmlops.app.running.opened import OpenedPipeline
from nbmlops.app.running.results import KnownResults, ResultsIndex, results_digest
from nbmlops.app.running.stages import register_values
from nbmlops.app.wiring import Stores
from nbmlops.core.errors import GateRejected, UsageError
from nbmlops.gate.verdict import verdict_from_json
from nbmlops.pipeline.run_record import Lineage, ModelVersionRef, RunStatus
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.events import Event, StepStarted
from nbmlops.runtime.schedule.results import RunOptions, StepsResult


class RegisterOutcome(Struct, frozen=True):
    """The version that a run's model is, and where it comes from."""

    pipeline: str
    version: ModelVersionRef
    lineage: Lineage


def register_run(target: str, cwd: Path) -> RegisterOutcome:
    """Returns the version of a run's model, new or, for the same run, the one that is there.

    Args:
        target: A run's id, a pipeline's folder or name; "" for the only pipeline of the project.
        cwd: The folder that relative paths count from.

    Raises:
        UsageError: there is no such run here, or its pipeline registers no model.
        GateRejected: the run has no passing verdict.
        ConfigError: the configuration is malformed.
        EnvironmentFault: the tracking store cannot be used.
    """
    found = find_target(target, cwd)
    if found.opened is None or found.known is None:
        run = found.opened.run_command(cwd) if found.opened is not None else "nbmlops run PIPELINE"
        raise UsageError(
            f"the results of {target or 'the pipeline'} are not here, so there is no model to register",
            f"run the pipeline here: {run}; in a notebook: %mlops register MODEL --data FRAME",
        )
    opened, record = found.opened, found.known.record
    verdict = verdict_from_json(record.verdict) if record.verdict is not None else None
    if verdict is None:
        raise GateRejected(f"run {record.run_id} was never judged", f"judge it: nbmlops gate {record.run_id}")
    result = _stored(opened, found.known, cwd)
    registered = register_values(opened, Stores(opened.root, opened.uri), record, verdict, result)
    ResultsIndex(opened.root, opened.pipeline.name).remember(found.known.digest, registered, found.known.policy)
    assert registered.model_version is not None
    return RegisterOutcome(opened.pipeline.name, registered.model_version, registered.lineage)


def _stored(opened: OpenedPipeline, known: KnownResults, cwd: Path) -> StepsResult:
    """Returns the values of a run as the store still has them.

    Raises:
        UsageError: they are gone, or something they depend on has changed since.
    """
    gone = UsageError(
        f"the results of run {known.record.run_id} are not those that the pipeline gives now",
        f"code, files or environment changed since; run it again: {opened.run_command(cwd)}",
    )

    def refuse(event: Event) -> None:
        if isinstance(event, StepStarted):
            raise gone

    result = run_pipeline(opened.folder, RunOptions(parameters=known.record.parameters, base=cwd), refuse)
    is_same = results_digest(opened.pipeline, result.steps) == known.digest
    if result.status is not RunStatus.SUCCEEDED or not is_same:
        raise gone
    return result
