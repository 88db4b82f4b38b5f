"""Runs the steps of a compiled pipeline in notebook order: cached ones are skipped, others executed by papermill.

Nothing heavy is imported before a step has to be executed. State is written when a step has succeeded, whole or not
at all, so that a run can be stopped at any point and the next one goes on from there.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import FrameType

from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.pipeline.run_record import RunStatus, StepError, StepRecord, StepStatus
from nbmlops.runtime.ambient import AmbientState
from nbmlops.runtime.cache import StepCache
from nbmlops.runtime.context import ENVIRONMENT_VARIABLE, StepContext, StepReport, read_report, write_context
from nbmlops.runtime.errors import Places, kernel_death, step_error
from nbmlops.runtime.events import (
    Event,
    InputsChanged,
    NotCacheable,
    RunWaiting,
    StepCached,
    StepFinished,
    StepSkipped,
    StepStarted,
    ValueDamaged,
)
from nbmlops.runtime.execute import SCRATCH, Completed, Ending, Job, KernelDied, Raised, TimedOut, execute
from nbmlops.runtime.facts import Facts, kernel_environment, source_of
from nbmlops.runtime.layout import Layout, layout_of, pipeline_file
from nbmlops.runtime.libraries import distributions_of
from nbmlops.runtime.lock import locked
from nbmlops.runtime.namespace import Namespace, fold
from nbmlops.runtime.parameters import effective_parameters
from nbmlops.runtime.plan import UNCHANGED, ground_changes, select, step_key, why
from nbmlops.runtime.records import CacheRecord, KeyParts, StepOutcome
from nbmlops.runtime.results import RunOptions, StepsResult
from nbmlops.runtime.store import DamagedObject, Store

_LOCK = "run.lock"
_REPAIRS = 3


def run_pipeline(folder: Path, options: RunOptions, on_event: Callable[[Event], None]) -> StepsResult:
    """Returns what running the steps gave; a failing step or an interruption is a result, not an exception.

    Args:
        folder: A folder with a `pipeline.yaml`.
        options: Parameters, and how to run.
        on_event: Told of everything that happens, in order.

    Raises:
        UsageError: the pipeline cannot be read, or a parameter is wrong.
        EnvironmentFault: the disk is full, a folder is not writable, or ipykernel is not installed.
        Conflict: another run of the pipeline did not end in time.
    """
    pipeline = read_pipeline(pipeline_file(folder))
    layout = layout_of(folder, pipeline)
    started = options.now()
    run = _Run(pipeline, layout, options, on_event, f"{started:%Y%m%dT%H%M%SZ}-{options.new_id()}")
    holder = locked(layout.state / _LOCK, started.isoformat(), options.wait, lambda who: on_event(RunWaiting(who)))
    with holder:
        return run.go()


class _Terminated(KeyboardInterrupt):
    """SIGTERM, taken the way of Ctrl-C."""


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what `signal` passes
        raise _Terminated

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Run:
    """One run: the records so far, and the way from a step to its record."""

    def __init__(
        self,
        pipeline: Pipeline,
        layout: Layout,
        options: RunOptions,
        on_event: Callable[[Event], None],
        name: str,
    ) -> None:
        self._pipeline, self._layout, self._options, self._tell, self._name = pipeline, layout, options, on_event, name
        self._parameters = effective_parameters(pipeline, options.parameters)
        self._selection = select(pipeline, options.first, options.last, force=options.force)
        variables = options.environment()
        self._environment = kernel_environment(variables)
        self._facts = Facts(pipeline, layout, self._environment, self._parameters, {**variables, **self._environment})
        self._cache, self._store = StepCache(layout.cache, layout.state), Store(layout.store)
        self._done: list[tuple[StepRecord, CacheRecord]] = []
        self._failed: StepRecord | None = None
        self._repairs = 0

    def go(self) -> StepsResult:
        """Returns the result of the run."""
        stopped_by = ""
        try:
            with _termination_interrupts():
                while len(self._done) < len(self._selection.steps) and self._failed is None:
                    self._advance(self._selection.steps[len(self._done)])
        except KeyboardInterrupt as interruption:
            stopped_by = "SIGTERM" if isinstance(interruption, _Terminated) else "SIGINT"
        return self._result(stopped_by)

    def _advance(self, step: Step) -> None:
        values, ambient = self._namespace()
        parts = self._facts.parts(step, values)
        record, reason = self._look_up(step, parts, ambient)
        if record is None:
            if self._inputs_are_intact(step, values):
                self._execute(step, parts, StepContext(step.name, self._layout.folder, values, ambient, None), reason)
            return
        self._cache.set_latest(record)
        cached = StepRecord(
            name=step.name,
            status=StepStatus.CACHED,
            notebook=self._shown(self._layout.root / record.notebook),
            log=record.outcome.log,
            key=record.key,
            reason=UNCHANGED,
        )
        self._done.append((cached, record))
        self._tell(StepCached(cached, *self._position(step)))

    def _namespace(self) -> tuple[Namespace, AmbientState]:
        return fold(record.outcome for _, record in self._done)

    def _look_up(self, step: Step, parts: KeyParts, ambient: AmbientState) -> tuple[CacheRecord | None, str]:
        if step.name in self._selection.forced:
            return None, "forced"
        nearest: tuple[str, ...] | None = None
        for record in self._cache.candidates(step_key(step.name, parts)):
            changes = ground_changes(record, self._facts.grounds(record, ambient, self._store))
            if not changes:
                return record, UNCHANGED
            nearest = nearest or changes
        latest = self._cache.latest(step.name)
        if nearest is None and latest is not None:
            nearest = ground_changes(latest, self._facts.grounds(latest, ambient, self._store))
        return None, why(parts, latest, nearest or ())

    def _inputs_are_intact(self, step: Step, values: Namespace) -> bool:
        """Returns whether the stored inputs are what was written; if not, goes back to the step that made them.

        Raises:
            EnvironmentFault: they are damaged again and again.
        """
        wanted = [values[value.name] for value in step.inputs if value.name in values]
        damaged = set()
        for ref in {value.ref for value in wanted}:
            try:
                self._store.verify(ref)
            except DamagedObject:
                damaged.add(ref)
        if not damaged:
            return True
        makers = [
            number
            for number, (_, record) in enumerate(self._done)
            if any(value.ref in damaged for value in record.outcome.values)
        ]
        self._repairs += 1
        if self._repairs > _REPAIRS:
            raise EnvironmentFault(
                f"stored values under {self._layout.store} are damaged again and again", "check the disk"
            )
        names = tuple(value.name for value in wanted if value.ref in damaged)
        self._tell(ValueDamaged(self._done[makers[0]][0].name, names))
        del self._done[makers[0] :]
        return False

    def _execute(self, step: Step, parts: KeyParts, context: StepContext, reason: str) -> None:
        number, total = self._position(step)
        self._prepare()
        self._tell(StepStarted(step.name, number, total, reason))
        begun = self._options.now()
        target = self._layout.runs / self._name / f"{number:02d}_{step.module}.ipynb"
        ending, report = self._run_notebook(step, context, target)
        record = StepRecord(
            name=step.name,
            status=StepStatus.EXECUTED,
            seconds=_seconds(begun, self._options.now()),
            notebook=self._shown(target),
            log=report.outcome.log if report.outcome else report.log,
            key=step_key(step.name, parts),
            reason=reason,
        )
        error = _error(ending, report, Places(self._pipeline, self._layout))
        if error is not None or report.outcome is None:
            self._failed = replace(record, status=StepStatus.FAILED, error=error)
            self._tell(StepFinished(self._failed, number, total))
            return
        kept = self._keep(step, parts, report.outcome, record, target)
        self._done.append((record, kept))
        self._tell(StepFinished(record, number, total))
        if report.outcome.changed_inputs:
            self._tell(InputsChanged(step.name, report.outcome.changed_inputs))
        if report.outcome.unkeyable:
            self._tell(NotCacheable(step.name, report.outcome.unkeyable))

    def _prepare(self) -> None:
        """Checks, before anybody is told of a step, that it can be executed and its notebook can be kept.

        Raises:
            EnvironmentFault: there is no kernel, or nowhere to keep executed notebooks.
        """
        if importlib.util.find_spec("ipykernel") is None:
            raise EnvironmentFault("ipykernel is not installed beside nbmlops", "install it: pip install ipykernel")
        try:
            self._layout.runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot make {self._layout.runs}, where executed notebooks are kept: {error.strerror or error}",
                "make the project's folder writable, or move away the file that stands in its place",
            ) from error
        for leftover in self._layout.runs.glob(f"*/{SCRATCH}*"):  # of killed runs: this one has the lock
            shutil.rmtree(leftover, ignore_errors=True)  # in nobody's way

    def _run_notebook(self, step: Step, context: StepContext, target: Path) -> tuple[Ending, StepReport]:
        with tempfile.TemporaryDirectory(prefix="nbmlops-") as scratch:
            told, report = Path(scratch) / "context.json", Path(scratch) / "report.json"
            write_context(told, replace(context, report=report))
            job = Job(
                source=source_of(self._layout, step),
                target=target,
                folder=self._layout.folder,
                parameters={name: self._parameters[name] for name in step.parameters},
                environment={**self._environment, ENVIRONMENT_VARIABLE: str(told)},
                timeout=self._options.timeout,
            )
            ending = execute(job)
            return ending, read_report(report)

    def _keep(self, step: Step, parts: KeyParts, outcome: StepOutcome, record: StepRecord, target: Path) -> CacheRecord:
        kept = CacheRecord(
            step=step.name,
            key=record.key,
            parts=parts,
            outcome=outcome,
            libraries=distributions_of(outcome.modules, self._facts.versions),
            notebook=target.relative_to(self._layout.root).as_posix(),
            run=self._name,
            seconds=record.seconds,
        )
        self._cache.add(kept)
        return kept

    def _result(self, stopped_by: str) -> StepsResult:
        records = [record for record, _ in self._done] + ([self._failed] if self._failed else [])
        for step in self._pipeline.steps[len(records) :]:
            records.append(StepRecord(step.name, StepStatus.SKIPPED))
            self._tell(StepSkipped(step.name, *self._position(step)))
        status = RunStatus.FAILED if self._failed else RunStatus.SUCCEEDED
        return StepsResult(
            status=RunStatus.INTERRUPTED if stopped_by else status,
            steps=tuple(records),
            values=self._namespace()[0],
            parameters=self._parameters,
            run=self._name,
            folder=self._layout.runs / self._name,
            origins={record.step: record.run for _, record in self._done},
            signal=stopped_by,
        )

    def _position(self, step: Step) -> tuple[int, int]:
        return self._pipeline.steps.index(step) + 1, len(self._pipeline.steps)

    def _shown(self, path: Path) -> str:
        return Path(os.path.relpath(path, self._options.base or Path.cwd())).as_posix() if path.is_file() else ""


def _seconds(begun: datetime, ended: datetime) -> float:
    return round((ended - begun).total_seconds(), 3)


def _error(ending: Ending, report: StepReport, places: Places) -> StepError | None:
    match ending:
        case KernelDied(code, output):
            return kernel_death(code, output)
        case TimedOut(seconds):
            return StepError("Timeout", f"a cell ran longer than {seconds:g} seconds", hint="give it more time")
        case Raised(name, message, traceback):
            told = step_error(report.error, places) if report.error is not None else None
            return told or StepError(name, message, traceback=traceback)
        case Completed():
            if report.outcome is not None:
                return None
            ended = step_error(report.error, places) if report.error is not None else StepError("StepFailed", "")
            message = "the step ended before it handed over its results"
            return replace(ended, message=message, hint="remove sys.exit() and exit() from the cells of the step")
