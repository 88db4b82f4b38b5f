"""`Tracker` over an MLflow 3 store: SQLite file, database or server. One `log_batch` for each step or cell."""

from __future__ import annotations

import getpass
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.run_record import DataRecord, MetricValue, StepLog
from nbmlops.tracking import lineage
from nbmlops.tracking.artifacts import upload_artifact
from nbmlops.tracking.batches import cut_batches
from nbmlops.tracking.behaviour import behaviour_text
from nbmlops.tracking.inputs import dataset_input, record_of_input
from nbmlops.tracking.keys import MAX_PARAM_VALUE, MAX_TAG_VALUE, check_key, param_text, quoted, storable, stored_text
from nbmlops.tracking.mlflow_errors import named_errors, without_links
from nbmlops.tracking.mlflow_runs import read_document, search_runs
from nbmlops.tracking.predictions import download_artifact, upload_predictions
from nbmlops.tracking.process import is_gone, mark_of, this_process
from nbmlops.tracking.redacted import redact_log, redact_tags
from nbmlops.tracking.redaction import process_redactor
from nbmlops.tracking.tracker import RunFacts, RunQuery, RunStart, RunState
from nbmlops.tracking.uri import masked, sqlite_path

ARTIFACTS = "mlartifacts"
_STEPS = range(-(2**63), 2**63)
_MOST_RUNS = 1000
# A database cannot hold an infinity: MLflow writes the greatest float instead.
_INFINITE = sys.float_info.max


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


class MlflowTracker:
    """A tracker of one store. Nothing is opened, and MLflow is not imported, before the first call.

    Args:
        uri: The store's address; a relative SQLite path counts from `root`.
        root: The project's root, which holds the artifacts of a SQLite store.
        now: The clock, in milliseconds since 1970.

    Whatever it writes, it writes without secrets (`nbmlops.tracking.redaction`).
    """

    def __init__(self, uri: str, root: Path, now: Callable[[], int] = _milliseconds) -> None:
        self._uri = uri
        self._root = root
        self._now = now
        self._redactor = process_redactor()
        self._opened: Any = None

    @property
    def uri(self) -> str:
        """Where the store is, without user name and password."""
        return masked(self._uri)

    @property
    def _client(self) -> Any:
        if self._opened is None:
            # It loads what speaks to servers; a run that executes nothing opens no store.
            from nbmlops.tracking.mlflow_client import open_client  # noqa: PLC0415  # as said above

            self._opened, self._uri = open_client(self._uri, self._root)
        return self._opened

    def start_run(self, start: RunStart) -> RunFacts:
        """Returns the run that was started; see `Tracker`.

        Raises:
            UsageError: the experiment was deleted, or a tag has a name that MLflow refuses.
            EnvironmentFault: the store cannot be used.
        """
        mark = start.process or this_process()
        tags = {
            "mlflow.user": _user(),
            "mlflow.source.type": "NOTEBOOK" if start.source.endswith(".ipynb") else "LOCAL",
            "mlflow.source.name": start.source,
            **redact_tags(start.tags, self._redactor),
            lineage.PID: str(mark.pid),
            lineage.HOST: mark.host,
            lineage.PROCESS_START: mark.start,
        }
        experiment = self._experiment(start.experiment)
        long = {name: value for name, value in tags.items() if len(value) > MAX_TAG_VALUE}
        short = _checked({name: value for name, value in tags.items() if name not in long})
        with named_errors(self._uri):
            time_of = start.at or self._now()
            run = self._client.create_run(experiment, start_time=time_of, tags=short, run_name=start.name or None)
            facts = self._facts(run, start.experiment)
        if long:
            self.set_tags(facts.run_id, long)
        for name, document in start.documents.items():
            self.log_document(facts.run_id, name, document)
        return facts

    def resume_run(self, run_id: str, start: RunStart) -> RunFacts:
        """Returns a run that has ended, running again; see `Tracker`.

        Raises:
            UsageError: there is no such run.
            EnvironmentFault: the store cannot be used.
        """
        mark = start.process or this_process()
        tags = {lineage.PID: str(mark.pid), lineage.HOST: mark.host, lineage.PROCESS_START: mark.start}
        # The process first: a run that runs without one would be marked killed.
        self.set_tags(run_id, {**start.tags, **tags})
        with named_errors(self._uri):
            self._client.update_run(run_id, status=RunState.RUNNING.value)
        return self.run_facts(run_id)

    def log_step(self, run_id: str, log: StepLog, at: int = 0) -> None:
        """Adds what a step or a cell recorded; see `Tracker`.

        Raises:
            UsageError: a name is one that MLflow refuses, or the run has another value for a parameter.
            EnvironmentFault: the store cannot be used.
        """
        from mlflow.entities import Metric, Param, RunTag

        log = redact_log(log, self._redactor)
        params = []
        for name, value in log.params.items():
            stored = stored_text(param_text(value), MAX_PARAM_VALUE)
            if stored.overflow:
                self._log_text(run_id, stored.overflow, stored.artifact)
            params.append((check_key("parameter", name), stored.value))
        tags = [
            (check_key("schema", f"{lineage.CHECK}{check.schema}"), "pass" if check.passed else "fail")
            for check in log.checks
        ]
        tags += [
            (check_key("behaviour test", f"{lineage.TEST}{test.name}"), behaviour_text(test)) for test in log.tests
        ]
        # The names that people search runs by; of several inputs, the one logged last.
        for record in log.data:
            tags += [(key, record.version[key]) for key in lineage.DVC_TAGS if key in record.version]
        # Of two values in one batch the store would take the greater one, not the later one.
        later = {(metric.name, metric.step): metric for metric in log.metrics}
        metrics = [_checked_metric(metric) for metric in later.values()]
        inputs = [dataset_input(record) for record in log.data]
        now = at or self._now()
        with named_errors(self._uri):
            for batch in cut_batches(params, metrics, tags):
                self._client.log_batch(
                    run_id,
                    params=[Param(*pair) for pair in batch.params],
                    metrics=[Metric(metric.name, metric.value, now, metric.step) for metric in batch.metrics],
                    tags=[RunTag(*pair) for pair in batch.tags],
                )
            if inputs:
                self._client.log_inputs(run_id, inputs)
        for artifact in log.artifacts:
            with named_errors(self._uri):
                upload_artifact(self._client, self._root, run_id, artifact)
        for predictions in log.predictions:
            with named_errors(self._uri):
                has_file = upload_predictions(self._client, self._root, run_id, predictions)
            if has_file:
                self.set_tags(run_id, {f"{lineage.PREDICTIONS}{predictions.name}": predictions.digest})

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Adds tags to the run; a value that is too long stands in an artifact, with a reference in its place.

        Raises:
            UsageError: there is no such run, or a tag has a name that MLflow refuses.
            EnvironmentFault: the store cannot be used.
        """
        from mlflow.entities import RunTag

        pairs = []
        for name, value in redact_tags(_checked(tags), self._redactor).items():
            stored = stored_text(value, MAX_TAG_VALUE)
            if stored.overflow:
                self._log_text(run_id, stored.overflow, stored.artifact)
            pairs.append((name, stored.value))
        with named_errors(self._uri):
            for batch in cut_batches((), (), pairs):
                self._client.log_batch(run_id, tags=[RunTag(*pair) for pair in batch.tags])

    def log_artifacts(self, run_id: str, path: Path, folder: str = "") -> None:
        """Copies a file, or everything in a folder, to the run's artifacts.

        Raises:
            UsageError: there is no such file.
            EnvironmentFault: the store cannot be used.
        """
        if not path.exists():
            raise UsageError(f"{path} does not exist, so it cannot be an artifact of the run")
        with named_errors(self._uri):
            log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
            log(run_id, str(path), folder or None)

    def read_artifact(self, run_id: str, name: str) -> bytes:
        """Returns the content of an artifact.

        Raises:
            UsageError: the run has no such artifact.
            EnvironmentFault: the store cannot be used.
        """
        with named_errors(self._uri):
            return download_artifact(self._client, run_id, name)

    def log_document(self, run_id: str, name: str, document: Mapping[str, Json]) -> None:
        """Writes a JSON document to the run's artifacts.

        Raises:
            EnvironmentFault: the store cannot be used.
        """
        redacted = self._redactor.document(document, name)
        self._log_text(run_id, json.dumps(redacted, indent=2, ensure_ascii=False, allow_nan=False) + "\n", name)

    def end_run(self, run_id: str, state: RunState, at: int = 0) -> None:
        """Ends the run.

        Raises:
            UsageError: there is no such run.
            EnvironmentFault: the store cannot be used.
        """
        with named_errors(self._uri), without_links():
            self._client.set_terminated(run_id, state.value, at or self._now())

    def run_facts(self, run_id: str) -> RunFacts:
        """Returns the run.

        Raises:
            UsageError: there is no such run, or it was deleted.
            EnvironmentFault: the store cannot be used.
        """
        with named_errors(self._uri):
            run = self._client.get_run(run_id)
            facts = self._facts(run)
        if run.info.lifecycle_stage == "deleted":
            raise UsageError(f"run {run_id} was deleted", f"mlflow runs restore --run-id {run_id}")
        return facts

    def run_data(self, run_id: str) -> tuple[DataRecord, ...]:
        """Returns the inputs of the run with their profiles, as far as it was nbmlops that logged them.

        Raises:
            UsageError: there is no such run.
            EnvironmentFault: the store cannot be used.
        """
        with named_errors(self._uri):
            inputs = self._client.get_run(run_id).inputs
        found = [record_of_input(one) for one in inputs.dataset_inputs] if inputs else []
        return tuple(record for record in found if record is not None)

    def data_versions(self, experiments: Sequence[str], name: str) -> tuple[DataRecord, ...]:
        """Returns the versions of an input that runs of these experiments logged, newest first, each once.

        Args:
            experiments: Names; none of them for all experiments of the store.
            name: What the input was logged as.

        Raises:
            EnvironmentFault: the store cannot be used.
        """
        with named_errors(self._uri):
            by_name = [self._client.get_experiment_by_name(experiment) for experiment in experiments]
            known = by_name if experiments else list(self._client.search_experiments())
            runs = self._client.search_runs(
                [found.experiment_id for found in known if found is not None],
                f"dataset.name = {quoted(name)}",
                max_results=_MOST_RUNS,
                order_by=["attributes.start_time DESC"],
            )
        inputs = (record_of_input(one) for run in runs for one in run.inputs.dataset_inputs)
        versions: dict[str, DataRecord] = {}
        for record in inputs:
            if record is not None and record.name == name:
                versions.setdefault(record.digest, record)
        return tuple(versions.values())

    def find_runs(self, query: RunQuery) -> tuple[RunFacts, ...]:
        """Returns the runs that a query describes, newest first.

        Raises:
            UsageError: a tag has a name that MLflow refuses, or the query holds what cannot be searched for.
            EnvironmentFault: the store cannot be used.
        """
        with named_errors(self._uri):
            found = search_runs(self._client, query)
            ids = {run.info.experiment_id for run in found}
            names = {one: self._client.get_experiment(one).name for one in ids}
            return tuple(self._facts(run, names[run.info.experiment_id]) for run in found)

    def read_document(self, run_id: str, name: str) -> Mapping[str, Json] | None:
        """Returns a JSON document of the run's artifacts, None where there is none of that name.

        Raises:
            UsageError: there is no such run.
            EnvironmentFault: the store or the place of its artifacts cannot be used.
        """
        with named_errors(self._uri):
            return read_document(self._client, run_id, name)

    def latest_run(self, experiment: str, tags: Mapping[str, str]) -> RunFacts | None:
        """Returns the newest run of an experiment that carries all these tags, or None.

        Raises:
            UsageError: a tag has a name that MLflow refuses.
            EnvironmentFault: the store cannot be used.
        """
        with named_errors(self._uri):
            found = self._client.get_experiment_by_name(experiment)
        runs = self._search(found.experiment_id, tags, 1) if found is not None else []
        with named_errors(self._uri):
            return self._facts(runs[0], experiment) if runs else None

    def mark_killed(self, experiment: str) -> tuple[str, ...]:
        """Returns the ids of runs whose process on this machine is gone, after ending them as killed.

        Raises:
            EnvironmentFault: the store cannot be used.
        """
        # A server that is away is noticed before MLflow is imported, which holds up the threads of cells.
        client = self._client
        with named_errors(self._uri):
            found = client.get_experiment_by_name(experiment)
        if found is None:
            return ()
        running = self._search(found.experiment_id, {lineage.HOST: this_process().host}, _MOST_RUNS, RunState.RUNNING)
        gone = tuple(run.info.run_id for run in running if is_gone(mark_of(run.data.tags)))
        for run_id in gone:
            self.end_run(run_id, RunState.KILLED)
        return gone

    def _search(self, experiment_id: str, tags: Mapping[str, str], most: int, state: RunState | None = None) -> Any:
        conditions = [f"tags.`{name}` = {quoted(value)}" for name, value in _checked(tags).items()]
        if state is not None:
            conditions.append(f"attributes.status = '{state.value}'")
        with named_errors(self._uri):
            return self._client.search_runs(
                [experiment_id], " and ".join(conditions), max_results=most, order_by=["attributes.start_time DESC"]
            )

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        with named_errors(self._uri):
            found = self._client.get_experiment_by_name(name)
            if found is None:
                place = None if sqlite_path(self._uri) is None else (self._root / ARTIFACTS).absolute().as_uri()
                try:
                    return str(self._client.create_experiment(name, artifact_location=place))
                except MlflowException as error:  # another process was faster
                    found = self._client.get_experiment_by_name(name)
                    if found is None or error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise
        if found.lifecycle_stage == "deleted":
            raise UsageError(
                f"the experiment {name!r} was deleted from {self.uri}",
                f"mlflow experiments restore --experiment-id {found.experiment_id}; or name another in nbmlops.toml",
            )
        return str(found.experiment_id)

    def _log_text(self, run_id: str, text: str, name: str) -> None:
        with named_errors(self._uri):
            self._client.log_text(run_id, storable(text), name)

    def _facts(self, run: Any, experiment: str = "") -> RunFacts:
        info, data = run.info, run.data
        try:
            state = RunState(info.status)
        except ValueError:  # SCHEDULED, which only other tools set
            state = RunState.RUNNING
        return RunFacts(
            run_id=info.run_id,
            name=info.run_name or "",
            experiment=experiment or self._client.get_experiment(info.experiment_id).name,
            state=state,
            params=dict(data.params),
            metrics={name: _from_store(value) for name, value in data.metrics.items()},
            tags=dict(data.tags),
            data={one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs} if run.inputs else {},
            started=info.start_time or 0,
            ended=info.end_time or 0,
        )


def _from_store(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) >= _INFINITE else value


def _checked(tags: Mapping[str, str]) -> dict[str, str]:
    return {check_key("tag", name): value for name, value in tags.items() if value}


def _checked_metric(metric: MetricValue) -> MetricValue:
    check_key("metric", metric.name)
    if metric.step not in _STEPS:
        raise UsageError(f"metric {metric.name!r} has step {metric.step}, which is beyond 64 bits")
    return metric


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user number without a name, as in containers
        return ""
