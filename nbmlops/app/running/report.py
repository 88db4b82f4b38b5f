"""What a run leaves behind: the run document, the files in its folder, the tracked run's artifacts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbmlops.app.project import VERDICT_FILE
from nbmlops.app.running.opened import OpenedPipeline
from nbmlops.core.documents import write_json_document
from nbmlops.pipeline.fits import logged_fits
from nbmlops.pipeline.run_codec import run_to_json
from nbmlops.pipeline.run_record import Lineage, MetricValue, RunRecord, StepLog, counting_values
from nbmlops.runtime.schedule.results import StepsResult
from nbmlops.tracking.lineage import lineage_from_tags, lineage_tags
from nbmlops.tracking.tracker import RunFacts, Tracker

if TYPE_CHECKING:
    from nbmlops.app.session.notebook_upload import Keep

RUN_FILE = "run.json"
RUN_NAME = "mlflow.runName"


def run_record(opened: OpenedPipeline, cwd: Path, result: StepsResult, extra: Iterable[MetricValue] = ()) -> RunRecord:
    """Returns the run document, as yet without run id, commit, verdict and version.

    Args:
        opened: The pipeline.
        cwd: The folder that paths are relative to.
        result: What running the steps gave.
        extra: Metrics that the closing stages added.
    """
    from nbmlops.app.running.step_inputs import input_digests  # noqa: PLC0415 - a run that executes nothing asks for no inputs

    logs = [step.log for step in result.steps]
    told = logged_fits(logs)
    metrics = [*(metric for log in (*logs, told) for metric in log.metrics), *extra]
    return RunRecord(
        status=result.status,
        run_id="",
        pipeline=opened.pipeline.name,
        steps=result.steps,
        parameters=result.parameters,
        metrics=counting_values(metrics),
        lineage=lineage_of(opened, {**input_digests(result.steps, opened.root), **_data(logs)}),
        folder=_relative(result.folder, cwd),
        joined=result.joined,
    )


def write_documents(cwd: Path, record: RunRecord, tracker: Tracker, keep: Keep) -> None:
    """Writes `run.json` and `verdict.json` to the run's folder, and what the tracked run keeps to its artifacts.

    Args:
        cwd: The folder that paths of the record are relative to.
        record: The run.
        tracker: Its store.
        keep: What of the executed notebooks the store gets.

    Raises:
        EnvironmentFault: the disk or the tracking store cannot be used.
    """
    from nbmlops.app.session.notebook_upload import keep_step  # noqa: PLC0415 - a run that executes nothing keeps nothing

    write_run_document(cwd, record)
    if record.verdict is not None:
        write_json_document(cwd / record.folder / VERDICT_FILE, dict(record.verdict))
    for step in record.steps:
        if step.notebook:
            keep_step(tracker, record.run_id, cwd / step.notebook, keep)
    tracker.log_document(record.run_id, RUN_FILE, run_to_json(record))
    # The store's run is found by the name of its folder, and the other way round.
    tracker.set_tags(record.run_id, {**lineage_tags(record.lineage), RUN_NAME: Path(record.folder).name})


def kept_folder(opened: OpenedPipeline, cwd: Path, record: RunRecord) -> str:
    """Returns the run's folder relative to the project's root, as later runs, started elsewhere, want to have it."""
    return _relative(cwd / record.folder, opened.root)


def write_run_document(cwd: Path, record: RunRecord) -> None:
    """Writes `run.json` to the run's folder.

    Raises:
        EnvironmentFault: the disk cannot be used.
    """
    write_json_document(cwd / record.folder / RUN_FILE, run_to_json(record))


def lineage_of(opened: OpenedPipeline, data: Mapping[str, str]) -> Lineage:
    """Returns where the results of the pipeline come from, as far as its document tells; `data` is name -> digest."""
    pipeline = opened.pipeline
    return Lineage(data=data, notebook=pipeline.notebook_digest, pipeline=pipeline.version)


def identified(record: RunRecord, facts: RunFacts) -> RunRecord:
    """Returns the record with what the tracked run knows: its id, and the commit that it started from."""
    commit = lineage_from_tags(facts.tags).git_commit
    return replace(record, run_id=facts.run_id, lineage=replace(record.lineage, run_id=facts.run_id, git_commit=commit))


def _data(logs: Iterable[StepLog]) -> Mapping[str, str]:
    return {record.name: record.digest for log in logs for record in log.data}


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()
