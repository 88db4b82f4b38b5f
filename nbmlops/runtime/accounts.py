"""What a run tells of its steps and of itself: the records that run documents and later runs are made from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.ir import Pipeline
from nbmlops.pipeline.run_record import RunStatus, StepError, StepRecord, StepStatus
from nbmlops.runtime.crew import Over, Ready, Result
from nbmlops.runtime.endings import error_of
from nbmlops.runtime.errors import Places
from nbmlops.runtime.layout import Layout
from nbmlops.runtime.libraries import distributions_of
from nbmlops.runtime.namespace import fold
from nbmlops.runtime.plan import UNCHANGED, step_key
from nbmlops.runtime.records import CacheRecord, StepOutcome
from nbmlops.runtime.results import RunOptions, StepsResult
from nbmlops.runtime.units import joined_steps


@dataclass(frozen=True, slots=True)
class Accounts:
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

    def executed(self, over: Over, target: Path) -> Result:
        """Returns what an executed step did; `target` is its executed notebook."""
        ready, outcome = over.running.ready, over.report.outcome
        record = StepRecord(
            name=ready.step.name,
            status=StepStatus.EXECUTED,
            seconds=over.seconds,
            notebook=self._shown(target),
            log=outcome.log if outcome else over.report.log,
            key=step_key(ready.step.name, ready.parts),
            reason=ready.reason,
            start="warm" if over.running.lane.is_warm else "cold",
            peak=outcome.peak if outcome else 0,
        )
        error = self._error(over)
        kept = None if error or outcome is None else self._kept(ready, outcome, record, target)
        return Result(over, record, error, kept)

    def reused(self, record: CacheRecord) -> StepRecord:
        """Returns the record of a step that is not executed, because an earlier run's result counts."""
        return StepRecord(
            name=record.step,
            status=StepStatus.CACHED,
            notebook=self._shown(self.layout.root / record.notebook),
            log=record.outcome.log,
            key=record.key,
            reason=UNCHANGED,
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
            parameters=self.parameters,
            run=self.name,
            folder=self.layout.runs / self.name,
            origins={record.step: record.run for record in taken},
            signal=stopped_by,
            joined=joined_steps(self.pipeline, outcomes),
        )

    def _error(self, over: Over) -> StepError | None:
        error = error_of(over.ending, over.report, Places(self.pipeline, self.layout))
        warnings = over.report.outcome.warnings if over.report.outcome else ()
        if error is None and warnings and self.options.strict:
            return StepError("StrictRun", "; ".join(warnings), hint="mend it, or run without --strict")
        return error

    def _kept(self, ready: Ready, outcome: StepOutcome, record: StepRecord, target: Path) -> CacheRecord:
        return CacheRecord(
            step=record.name,
            key=record.key,
            parts=ready.parts,
            outcome=outcome,
            libraries=distributions_of(outcome.modules, self.versions),
            notebook=target.relative_to(self.layout.root).as_posix(),
            run=self.name,
            seconds=record.seconds,
        )

    def _shown(self, path: Path) -> str:
        return Path(os.path.relpath(path, self.options.base or Path.cwd())).as_posix() if path.is_file() else ""
