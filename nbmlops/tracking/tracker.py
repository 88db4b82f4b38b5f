"""What the rest of nbmlops asks of a tracking store, as a Protocol with records. The real one: `mlflow_tracker`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.tracking.process import ProcessMark

if TYPE_CHECKING:
    from nbmlops.pipeline.run_record import DataRecord, StepLog


class RunState(StrEnum):
    """How a run stands in the store."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class RunStart(Struct, frozen=True):
    """What is known when a run starts.

    Attributes:
        experiment: MLflow's experiment; made when it does not exist.
        name: The run's name; "" lets the store choose.
        tags: Lineage and the like (`nbmlops.tracking.lineage`).
        source: What the store shows as the run's source: the notebook or the pipeline's folder.
        process: The process that the run belongs to; the one that calls by default.
        at: When it started, in milliseconds since 1970; 0 for now.
        documents: JSON documents that belong to its artifacts from the start, by name.
    """

    experiment: str
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    process: ProcessMark | None = None
    at: int = 0
    documents: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)


class RunFacts(Struct, frozen=True):
    """A run as the store has it.

    Attributes:
        run_id: Its id.
        name: Its name.
        experiment: Name of its experiment.
        state: How it stands.
        params: As text, as the store keeps them.
        metrics: The last value of each.
        tags: All tags.
        data: Logged name -> fingerprint of each input.
        started: Milliseconds since 1970.
        ended: Likewise, 0 while it runs.
    """

    run_id: str
    name: str
    experiment: str
    state: RunState
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    started: int = 0
    ended: int = 0


class RunQuery(Struct, frozen=True):
    """Which runs are looked for; what is empty does not count.

    Attributes:
        experiments: In these experiments; in all of the store if there are none.
        tags: With exactly these tags.
        commit: Made from a commit whose id begins so.
        data: With an input of this fingerprint.
        beginning: Whose id begins so.
        most: How many at most, the newest ones.
    """

    experiments: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    data: str = ""
    beginning: str = ""
    most: int = 1000


class Tracker(Protocol):
    """A tracking store. Every method may raise EnvironmentFault: the store cannot be reached or used."""

    @property
    def uri(self) -> str:
        """Where the store is, without user name and password."""

    def start_run(self, start: RunStart) -> RunFacts:
        """Returns the run that was started; its tags name this process, for `mark_killed`."""

    def resume_run(self, run_id: str, start: RunStart) -> RunFacts:
        """Returns a run that has ended, running again, now of the process and with the tags that `start` names."""

    def log_step(self, run_id: str, log: StepLog, at: int = 0) -> None:
        """Adds what a step or a cell recorded, at a time in milliseconds since 1970 (0: now); twice is as once."""

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Adds tags to the run, replacing those of the same name."""

    def log_artifacts(self, run_id: str, path: Path, folder: str = "") -> None:
        """Copies a file, or everything in a folder, to the run's artifacts."""

    def read_artifact(self, run_id: str, name: str) -> bytes:
        """Returns the content of one of the run's artifacts, or raises UsageError when there is none of that name."""

    def log_document(self, run_id: str, name: str, document: Mapping[str, Json]) -> None:
        """Writes a JSON document to the run's artifacts."""

    def end_run(self, run_id: str, state: RunState, at: int = 0) -> None:
        """Ends the run, at a time in milliseconds since 1970 (0: now)."""

    def run_facts(self, run_id: str) -> RunFacts:
        """Returns the run, or raises UsageError when there is none of that id."""

    def run_data(self, run_id: str) -> tuple[DataRecord, ...]:
        """Returns the inputs of the run with their profiles, or raises UsageError when there is none of that id."""

    def data_versions(self, experiments: Sequence[str], name: str) -> tuple[DataRecord, ...]:
        """Returns the versions of an input that runs of these experiments logged, newest first, each once.

        Without experiments all of the store are looked through.
        """

    def find_runs(self, query: RunQuery) -> tuple[RunFacts, ...]:
        """Returns the runs that a query describes, newest first."""

    def read_document(self, run_id: str, name: str) -> Mapping[str, Json] | None:
        """Returns a JSON document of the run's artifacts, None where there is none of that name."""

    def latest_run(self, experiment: str, tags: Mapping[str, str]) -> RunFacts | None:
        """Returns the newest run of an experiment that carries all these tags, or None."""

    def mark_killed(self, experiment: str) -> tuple[str, ...]:
        """Returns the ids of runs whose process on this machine is gone, after ending them as killed."""
