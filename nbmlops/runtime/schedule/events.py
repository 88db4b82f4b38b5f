"""What the runner tells while it works: one frozen record for each thing that happens, for displays and logs."""

from __future__ import annotations

from msgspec import Struct

from nbmlops.pipeline.run_record import JoinedSteps, ModelVersionRef, RunPhase, StepError, StepRecord


class RunWaiting(Struct, frozen=True):
    """Another run of the same pipeline holds the lock; `holder` says which process."""

    holder: str


class FormerRunKilled(Struct, frozen=True):
    """The run before this one was killed; its run document says so now.

    Attributes:
        run: Its name.
        phase: What it was at.
        version: The model version that it had registered, in part or whole; what was missing has been done.
    """

    run: str
    phase: RunPhase = RunPhase.STEPS
    version: ModelVersionRef | None = None


class StepStarted(Struct, frozen=True):
    """A step begins to execute.

    Attributes:
        step: The step.
        number: Its place.
        total: Of so many.
        reason: Why it was not taken from the cache.
        last: Seconds that it took when it last came to its end, with whatever code; None for unknown.
    """

    step: str
    number: int
    total: int
    reason: str
    last: float | None = None


class StepCached(Struct, frozen=True):
    """A step was not executed: its results and its log are those of an earlier run."""

    record: StepRecord
    number: int
    total: int


class StepFinished(Struct, frozen=True):
    """A step was executed, or failed."""

    record: StepRecord
    number: int
    total: int


class StepDoneEarly(Struct, frozen=True):
    """A step that ran before its turn is over; its turn decides whether what it did counts.

    Attributes:
        step: The step.
        number: Its place.
        total: Of so many.
        seconds: How long it took.
        succeeded: Whether it came to its end.
    """

    step: str
    number: int
    total: int
    seconds: float
    succeeded: bool


class StepRetried(Struct, frozen=True):
    """A try of a step failed, and it is tried again after some seconds; `tries` of `most` are done."""

    step: str
    tries: int
    most: int
    wait: float
    error: StepError


class StepRepeated(Struct, frozen=True):
    """A step ran beside earlier ones, and its result is not that of its turn: it is not used, and `reason` says why."""

    step: str
    reason: str


class StepWarned(Struct, frozen=True):
    """Something went wrong beside a step, which itself goes on: an exception in a thread, a task nobody waited for."""

    step: str
    messages: tuple[str, ...]


class StepSkipped(Struct, frozen=True):
    """A step was not reached, because an earlier one failed or the run was interrupted."""

    step: str
    number: int
    total: int


class InputsChanged(Struct, frozen=True):
    """A step changed inputs in place that it does not hand over by name; the changed values go on to later steps."""

    step: str
    names: tuple[str, ...]


class NotCacheable(Struct, frozen=True):
    """A step will run again every time, and why."""

    step: str
    reason: str


class ValueDamaged(Struct, frozen=True):
    """A stored value was gone or changed on disk; the step that made it runs again."""

    step: str
    names: tuple[str, ...]


class StepsJoined(Struct, frozen=True):
    """Steps run in one process, the first of them just finished: it left values that cannot be stored."""

    joined: JoinedSteps


class StartedCold(Struct, frozen=True):
    """Steps could not be forked from a process that has their imports, and why; told once."""

    reason: str


class SharingFailed(Struct, frozen=True):
    """The shared store, or something in it, cannot be used, and what follows; `store` is its address."""

    store: str
    reason: str


class StepsSentElsewhere(Struct, frozen=True):
    """Steps are executed by a cluster of so many workers; `scheduler` is its address."""

    steps: tuple[str, ...]
    scheduler: str
    workers: int


class StepsWaitElsewhere(Struct, frozen=True):
    """Steps wait for a worker of the cluster that could execute them, and why there is none."""

    steps: tuple[str, ...]
    reason: str


class StepDoneElsewhere(Struct, frozen=True):
    """A worker has executed a step, or has found it done.

    Attributes:
        step: The step.
        succeeded: Whether it did.
        seconds: Wall time on the worker.
        worker: Its address.
        after: The step that failed, so that this one was not begun; else "".
    """

    step: str
    succeeded: bool
    seconds: float
    worker: str
    after: str = ""


Event = (
    RunWaiting
    | FormerRunKilled
    | StepStarted
    | StepCached
    | StepFinished
    | StepDoneEarly
    | StepRetried
    | StepRepeated
    | StepWarned
    | StepSkipped
    | InputsChanged
    | NotCacheable
    | ValueDamaged
    | StepsJoined
    | StartedCold
    | SharingFailed
    | StepsSentElsewhere
    | StepsWaitElsewhere
    | StepDoneElsewhere
)
