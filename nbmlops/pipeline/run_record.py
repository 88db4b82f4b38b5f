"""The run document: what a run of a pipeline (or of the notebook itself) did, as records and as `run.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.core.records import (
    ArtifactRecord,
    BehaviourRecord,
    CheckFinding,
    CheckRecord,
    DataRecord,
    PredictionsRecord,
)

__all__ = [
    "SCHEMA",
    "ArtifactRecord",
    "BehaviourRecord",
    "CheckFinding",
    "CheckRecord",
    "DataRecord",
    "FitRecord",
    "JoinedSteps",
    "Lineage",
    "LiveValue",
    "MetricValue",
    "ModelVersionRef",
    "PredictionsRecord",
    "RunPhase",
    "RunRecord",
    "RunStatus",
    "StepError",
    "StepLog",
    "StepRecord",
    "StepStatus",
    "counting_values",
]

SCHEMA = "nbmlops/run/1"


class RunStatus(StrEnum):
    """How a run ended; that one was KILLED is told by the run after it."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    GATE_REJECTED = "gate_rejected"
    INTERRUPTED = "interrupted"
    KILLED = "killed"


class RunPhase(StrEnum):
    """What a run is at, from its first step to its last document."""

    STEPS = "running steps"
    JUDGING = "judging"
    REGISTERING = "registering"
    WRITING = "writing documents"


class StepStatus(StrEnum):
    """How a step of a run ended; `SKIPPED` steps come after one that failed."""

    EXECUTED = "executed"
    CACHED = "cached"
    FAILED = "failed"
    SKIPPED = "skipped"


class StepError(Struct, frozen=True):
    """Why a step failed, told in terms of the source notebook.

    Attributes:
        name: Exception class, or "DeadKernel", "Timeout".
        message: The exception's text.
        cell: Number of the notebook's cell, 0 where unknown.
        line: Line in that cell, 0 where unknown.
        traceback: Plain text, its frames in generated files replaced by notebook, cell and line.
        hint: What helps, or "".
    """

    name: str
    message: str
    cell: int = 0
    line: int = 0
    traceback: str = ""
    hint: str = ""


class MetricValue(Struct, frozen=True):
    """One logged metric; `value` may be NaN or infinite, which `run.json` writes as a string."""

    name: str
    value: float
    step: int = 0


def counting_values(metrics: Iterable[MetricValue]) -> dict[str, float]:
    """Returns name -> the value that counts: of the greatest step the one logged last, as MLflow has it."""
    counting: dict[str, MetricValue] = {}
    for metric in metrics:
        known = counting.get(metric.name)
        if known is None or metric.step >= known.step:
            counting[metric.name] = metric
    return {name: metric.value for name, metric in counting.items()}


class FitRecord(Struct, frozen=True):
    """What MLflow's autologging told of one call that trains: `model.fit(X, y)`, `xgboost.train(...)`.

    Attributes:
        name: What the call's text calls the model: a variable, else the class.
        params: Parameters as MLflow has them, as texts.
        metrics: By name, those of one name in the order of their steps.
        artifacts: Figures and tables; their names are file names.
    """

    name: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[MetricValue, ...] = ()
    artifacts: tuple[ArtifactRecord, ...] = ()


class StepLog(Struct, frozen=True):
    """What the tracking calls of one step (or one notebook run) recorded, in order."""

    params: Mapping[str, Json] = field(default_factory=dict)
    metrics: tuple[MetricValue, ...] = ()
    data: tuple[DataRecord, ...] = ()
    checks: tuple[CheckRecord, ...] = ()
    predictions: tuple[PredictionsRecord, ...] = ()
    tests: tuple[BehaviourRecord, ...] = ()
    artifacts: tuple[ArtifactRecord, ...] = ()
    fits: tuple[FitRecord, ...] = ()


class StepRecord(Struct, frozen=True):
    """One step of a run.

    Attributes:
        name: Step name.
        status: How it ended.
        seconds: Wall time of this run; 0 for cached and skipped ones.
        notebook: The executed step notebook relative to the working directory of the command, or "".
        error: Why it failed.
        log: What it recorded, replayed when cached.
        key: Cache key.
        reason: Why it ran ("new", "code changed", …) or was taken from the cache.
        start: How its process started: "cold", or "warm" when it was forked; "" if it did not run.
        peak: Bytes of memory that its process took at most; 0 where that is not known.
        begun: When it began (UTC, ISO 8601), the last time if it was tried again; "" if it did not run.
        early: It ran before its turn, beside earlier steps.
        files: Files that it read -> their fingerprints; paths below the project's root are relative to it.
    """

    name: str
    status: StepStatus
    seconds: float = 0.0
    notebook: str = ""
    error: StepError | None = None
    log: StepLog = field(default_factory=StepLog)
    key: str = ""
    reason: str = ""
    start: str = ""
    peak: int = 0
    begun: str = ""
    early: bool = False
    files: Mapping[str, str] = field(default_factory=dict)


class LiveValue(Struct, frozen=True):
    """A value that cannot be stored: its name, its type, and why."""

    name: str
    type: str
    reason: str


class JoinedSteps(Struct, frozen=True):
    """Steps that ran in one process, in order, and the values that forced it."""

    steps: tuple[str, ...]
    values: tuple[LiveValue, ...]


class Lineage(Struct, frozen=True):
    """Where results come from. `data` maps logged names to digests; empty strings where something is not known.

    `notebook` and `pipeline` are digests (SHA-256); `git_commit` carries the suffix "-dirty" when the tree had changes.
    """

    run_id: str = ""
    git_commit: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    notebook: str = ""
    pipeline: str = ""


class ModelVersionRef(Struct, frozen=True):
    """A registered version: its model's name, its number, and the aliases it got."""

    name: str
    version: str
    aliases: tuple[str, ...] = ()


class RunRecord(Struct, frozen=True):
    """A whole run.

    `verdict` is the gate's canonical body (see `nbmlops.gate.verdict`), or None before the gate; `killed_while` is what
    a run was at that was killed.
    """

    status: RunStatus
    run_id: str
    pipeline: str
    steps: tuple[StepRecord, ...]
    parameters: Mapping[str, Json]
    metrics: Mapping[str, float]
    lineage: Lineage
    verdict: Mapping[str, Json] | None = None
    model_version: ModelVersionRef | None = None
    folder: str = ""
    joined: tuple[JoinedSteps, ...] = ()
    killed_while: RunPhase | None = None
