"""What a run leaves behind: the run document, the files in its folder, the tracked run's artifacts, what to try."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from nbmlops.app.closing import VERDICT_FILE
from nbmlops.app.opened import OpenedPipeline
from nbmlops.app.project import LOCK_FILE, shown_path
from nbmlops.app.provenance import pipeline_provenance
from nbmlops.app.step_inputs import input_digests
from nbmlops.app.wiring import shown_uri
from nbmlops.core.documents import write_json_document
from nbmlops.pipeline.ir import ParameterType
from nbmlops.pipeline.run_codec import run_to_json
from nbmlops.pipeline.run_record import Lineage, MetricValue, RunRecord, RunStatus, StepLog, counting_values
from nbmlops.runtime.results import StepsResult
from nbmlops.tracking.environment import GitState, environment_facts, git_state
from nbmlops.tracking.lineage import PIPELINE, environment_tags, lineage_from_tags, lineage_tags
from nbmlops.tracking.provenance import PROVENANCE_FILE, provenance_to_json
from nbmlops.tracking.tracker import RunFacts, RunStart, Tracker
from nbmlops.tracking.uri import SQLITE

RUN_FILE = "run.json"
NOTEBOOKS = "notebooks"
RUN_NAME = "mlflow.runName"
PARENT_RUN = "mlflow.parentRunId"
MAX_COMMANDS = 3


def run_start(opened: OpenedPipeline, parent: str = "") -> RunStart:
    """Returns what is known of a run before its first step; `parent` is the id of the run that it is a part of."""
    tags = {
        **({PARENT_RUN: parent} if parent else {}),
        **lineage_tags(replace(_lineage(opened, {}), git_commit=str(_git(opened)))),
        PIPELINE: opened.pipeline.name,
        **environment_tags(environment_facts(_locked_names(opened.folder / LOCK_FILE))),
    }
    return RunStart(
        opened.config.experiment,
        tags=tags,
        source=shown_path(opened.folder, opened.root),
        documents={PROVENANCE_FILE: provenance_to_json(pipeline_provenance(opened))},
    )


def run_record(opened: OpenedPipeline, cwd: Path, result: StepsResult, extra: Iterable[MetricValue] = ()) -> RunRecord:
    """Returns the run document, as yet without run id, commit, verdict and version.

    Args:
        opened: The pipeline.
        cwd: The folder that paths are relative to.
        result: What running the steps gave.
        extra: Metrics that the closing stages added.
    """
    logs = [step.log for step in result.steps]
    metrics = [*(metric for log in logs for metric in log.metrics), *extra]
    return RunRecord(
        status=result.status,
        run_id="",
        pipeline=opened.pipeline.name,
        steps=result.steps,
        parameters=result.parameters,
        metrics=counting_values(metrics),
        lineage=_lineage(opened, {**input_digests(result.steps, opened.root), **_data(logs)}),
        folder=_relative(result.folder, cwd),
        joined=result.joined,
    )


def write_documents(cwd: Path, record: RunRecord, tracker: Tracker) -> None:
    """Writes `run.json` and `verdict.json` to the run's folder, and what the tracked run keeps to its artifacts.

    Raises:
        EnvironmentFault: the disk or the tracking store cannot be used.
    """
    write_run_document(cwd, record)
    if record.verdict is not None:
        write_json_document(cwd / record.folder / VERDICT_FILE, dict(record.verdict))
    for step in record.steps:
        if step.notebook:
            tracker.log_artifacts(record.run_id, cwd / step.notebook, NOTEBOOKS)
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


def next_commands(opened: OpenedPipeline, cwd: Path, record: RunRecord) -> tuple[str, ...]:
    """Returns the commands that a person would try next, at most three."""
    return tuple(_next(opened, cwd, record))[:MAX_COMMANDS]


def _next(opened: OpenedPipeline, cwd: Path, record: RunRecord) -> Iterator[str]:
    failed = [step.notebook for step in record.steps if step.error is not None and step.notebook]
    if record.status in {RunStatus.FAILED, RunStatus.INTERRUPTED}:
        yield from (f"jupyter lab {_quoted(notebook)}" for notebook in failed)
        yield opened.run_command(cwd)
        return
    version = record.model_version
    if version is not None and "challenger" in version.aliases:
        yield f"nbmlops promote {version.name}@challenger --reason TEXT"
    numbers = [p for p in opened.pipeline.parameters if p.type in {ParameterType.INT, ParameterType.FLOAT}]
    if numbers:
        yield f"{opened.run_command(cwd)} -p {numbers[0].name}=…"
    yield f"jupyter lab {_quoted(record.folder)}"
    yield f"mlflow ui --backend-store-uri {_quoted(_shown_store(opened.uri, cwd))}"


def _shown_store(uri: str, cwd: Path) -> str:
    path = Path(uri.removeprefix(SQLITE))
    if uri.startswith(SQLITE) and path.is_relative_to(cwd):
        return SQLITE + path.relative_to(cwd).as_posix()
    return shown_uri(uri)


def _quoted(text: str) -> str:
    """Returns the text as one word of a shell."""
    return shlex.quote(text)


def _lineage(opened: OpenedPipeline, data: Mapping[str, str]) -> Lineage:
    pipeline = opened.pipeline
    return Lineage(data=data, notebook=pipeline.notebook_digest, pipeline=pipeline.version)


def _git(opened: OpenedPipeline) -> GitState:
    return git_state(opened.root, (opened.folder / opened.pipeline.notebook,))


def identified(record: RunRecord, facts: RunFacts) -> RunRecord:
    """Returns the record with what the tracked run knows: its id, and the commit that it started from."""
    commit = lineage_from_tags(facts.tags).git_commit
    return replace(record, run_id=facts.run_id, lineage=replace(record.lineage, run_id=facts.run_id, git_commit=commit))


def _data(logs: Iterable[StepLog]) -> Mapping[str, str]:
    return {record.name: record.digest for log in logs for record in log.data}


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()


def _locked_names(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    lines = path.read_text("utf-8", "replace").splitlines()
    return tuple(line.partition("==")[0].strip() for line in lines if line.strip() and not line.startswith("#"))
