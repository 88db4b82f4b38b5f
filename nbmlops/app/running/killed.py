"""What is left to do for a run that was killed: its tracked run ended, its model registered whole or not at all.

The next run of the pipeline does it before its first step. If it then finds that all steps had come to an end, and that
nothing they depend on has changed since, it judges and registers in the killed run's place
(`nbmlops.app.running.cached`).
"""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from nbmlops.app.running.closing import actor
from nbmlops.app.running.opened import OpenedPipeline
from nbmlops.app.running.report import RUN_FILE, kept_folder
from nbmlops.app.running.results import ResultsIndex
from nbmlops.app.wiring import Stores
from nbmlops.core.digest import Digest
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.run_codec import run_to_json
from nbmlops.pipeline.run_record import RunPhase, RunRecord, RunStatus
from nbmlops.registry.register import finish
from nbmlops.runtime.schedule.results import KilledRun
from nbmlops.tracking.tracker import RunState
from nbmlops.tracking.uri import sqlite_path


def settle(opened: OpenedPipeline, stores: Stores, cwd: Path, killed: KilledRun) -> RunRecord | None:
    """Returns the document of a killed run after its tracked run was ended; None if it had come to its end.

    Args:
        opened: The pipeline.
        stores: Where runs and models are.
        cwd: The folder that paths are relative to.
        killed: The run.

    Raises:
        EnvironmentFault: the tracking store cannot be used.
    """
    index = ResultsIndex(opened.root, opened.pipeline.name)
    known = index.find(Digest(killed.results)) if killed.results else None
    record = killed.record
    if known is not None and known.record.run_id == record.run_id and known.record.status is not RunStatus.KILLED:
        return None
    path = sqlite_path(opened.uri)
    if path is not None and not path.exists():  # it had not come to that
        return record
    stores.tracker.mark_killed(opened.config.experiment)
    if not record.run_id:
        return record
    try:
        stores.tracker.end_run(record.run_id, RunState.KILLED)
        record = _finished(opened, stores, record)
        stores.tracker.log_document(record.run_id, RUN_FILE, run_to_json(record))
    except UsageError:  # somebody has deleted the tracked run: there is nothing that it could be finished for
        return record
    if killed.results:
        index.remember(Digest(killed.results), replace(record, folder=kept_folder(opened, cwd, record)), killed.policy)
    return record


def _finished(opened: OpenedPipeline, stores: Stores, record: RunRecord) -> RunRecord:
    """Returns the record with the version that the run registered, if it had come to that."""
    if record.killed_while not in {RunPhase.REGISTERING, RunPhase.WRITING} or opened.pipeline.register is None:
        return record
    version = finish(
        stores.registry,
        opened.model_name,
        record.run_id,
        promote_on_pass=opened.config.promote_on_pass,
        actor=actor(),
    )
    return record if version is None else replace(record, model_version=version.ref)
