"""What a caller asks of a run, and what it gets: options in, `StepsResult` out."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.run_record import JoinedSteps, RunRecord, RunStatus, StepRecord, StepStatus
from nbmlops.runtime.store.stored import StoredValue


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return secrets.token_hex(3)


def _environment() -> Mapping[str, str]:
    return dict(os.environ)


class KilledRun(Struct, frozen=True):
    """A run that was killed, as the next one finds it.

    Attributes:
        record: What is known of it, `killed_while` too; paths as those of the run that found it.
        name: Its name.
        results: What identifies its results, "" if not all steps came to an end.
        policy: What identifies the rules that judged it, "" if it was not judged.
    """

    record: RunRecord
    name: str
    results: str = ""
    policy: str = ""


def _as_it_is(killed: KilledRun) -> RunRecord:
    return killed.record


class RunOptions(Struct, frozen=True):
    """How to run.

    Attributes:
        parameters: Overrides, as `parse_overrides` gives them.
        force: Execute every step.
        first: Execute this step and those that need it, cached or not; "" for none.
        last: Stop after this step, the later ones are skipped; "" for the last one.
        only: Execute these steps and no others, over what earlier runs left of those before them; empty for all.
        once: Steps that failed are not tried again: whoever asked for them does that.
        timeout: Seconds that a step may take if the pipeline does not say; None for any time.
        strict: A step beside which something went wrong has failed, and a shared store has to work.
        store: Address of the shared store, "" for none.
        warm: Fork the processes of steps from one that has their imports, where that changes nothing.
        jobs: How many steps may run at once.
        memory: Bytes that they may take together, as far as that is known; 0 for any.
        wait: Seconds to wait while another run of the pipeline goes on.
        base: The folder that paths in the result are relative to; None for the working directory.
        now: The clock.
        new_id: Makes the short random part of the run's name.
        sleep: Waits so many seconds.
        environment: The variables that decide the hash seed and the number of threads.
        settle: Does what is left to do for a run that was killed; returns its document, None if it had come to its end.
    """

    parameters: Mapping[str, Json] = field(default_factory=dict)
    force: bool = False
    first: str = ""
    last: str = ""
    only: tuple[str, ...] = ()
    once: bool = False
    timeout: float | None = None
    strict: bool = False
    store: str = ""
    warm: bool = True
    jobs: int = 1
    memory: int = 0
    wait: float = 60.0
    base: Path | None = None
    now: Callable[[], datetime] = _now
    new_id: Callable[[], str] = _new_id
    sleep: Callable[[float], None] = time.sleep
    environment: Callable[[], Mapping[str, str]] = _environment
    settle: Callable[[KilledRun], RunRecord | None] = _as_it_is


class StepsResult(Struct, frozen=True):
    """What running the steps of a pipeline gave.

    Attributes:
        status: SUCCEEDED, FAILED or INTERRUPTED.
        steps: One record for each step, in notebook order.
        values: The namespace at the end: name -> stored value.
        parameters: Every parameter with the value that was used.
        run: Name of the run: UTC time and a short id.
        folder: The run's folder, absolute; it exists only if a step was executed.
        origins: Step -> name of the run that executed it, for executed and cached steps.
        signal: "SIGINT" or "SIGTERM" if interrupted, else "".
        joined: Steps that share a process, because values of theirs cannot be stored.
    """

    status: RunStatus
    steps: tuple[StepRecord, ...]
    values: Mapping[str, StoredValue]
    parameters: Mapping[str, Json]
    run: str
    folder: Path
    origins: Mapping[str, str]
    signal: str = ""
    joined: tuple[JoinedSteps, ...] = ()

    @property
    def all_cached(self) -> bool:
        """Whether no step was executed."""
        return all(step.status is StepStatus.CACHED for step in self.steps)
