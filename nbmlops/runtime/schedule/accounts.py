"""What a run tells of its steps and of itself: the records that run documents and later runs are made from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.ir import Pipeline
from nbmlops.pipeline.run_record import RunStatus, StepRecord, StepStatus
from nbmlops.runtime.handover.namespace import fold
from nbmlops.runtime.layout import Layout
from nbmlops.runtime.redact import shown_parameters
from nbmlops.runtime.reuse.files import data_files
from nbmlops.runtime.reuse.plan import UNCHANGED
from nbmlops.runtime.reuse.records import CacheRecord
from nbmlops.runtime.schedule.results import RunOptions, StepsResult
from nbmlops.runtime.schedule.units import joined_steps


class Accounts(Struct, frozen=True):
    """Writes the records of one run.

    Attributes:
        name: The run's name.
        pipeline: The pipeline.
        layout: Where things are.
        options: How it runs.
        parameters: Value of every parameter.
        versions: Distribution -> version of what is installed.
    """

    name: str
    pipeline: Pipeline
    layout: Layout
    options: RunOptions
    parameters: Mapping[str, Json]
    versions: Mapping[str, str]

    def reused(self, record: CacheRecord) -> StepRecord:
        """Returns the record of a step that is not executed, because an earlier run's result counts."""
        return StepRecord(
            name=record.step,
            status=StepStatus.CACHED,
            notebook=self.shown(self.layout.root / record.notebook),
            log=record.outcome.log,
            key=record.key,
            reason=UNCHANGED,
            files=data_files(record.outcome.files),
        )

    def closed(self, steps: Sequence[StepRecord], taken: Sequence[CacheRecord], stopped_by: str) -> StepsResult:
        """Returns what the whole run gave.

        Args:
            steps: One record for each step.
            taken: What was executed or reused.
            stopped_by: The signal that interrupted it, "" for none.
        """
        failed = any(step.status is StepStatus.FAILED for step in steps)
        status = RunStatus.FAILED if failed else RunStatus.SUCCEEDED
        outcomes = [record.outcome for record in taken]
        return StepsResult(
            status=RunStatus.INTERRUPTED if stopped_by else status,
            steps=tuple(steps),
            values=fold(outcomes)[0],
            parameters=shown_parameters(self.parameters),
            run=self.name,
            folder=self.layout.runs / self.name,
            origins={record.step: record.run for record in taken},
            signal=stopped_by,
            joined=joined_steps(self.pipeline, outcomes),
        )

    def shown(self, path: Path) -> str:
        """Returns a file as the caller of the run would name it; "" if it is not there."""
        return Path(os.path.relpath(path, self.options.base or Path.cwd())).as_posix() if path.is_file() else ""
