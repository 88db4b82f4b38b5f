"""Runs the steps of a compiled pipeline in notebook order: cached ones are skipped, others executed by papermill.

Each step has a process of its own, unless an earlier one left a value that cannot be stored: then the steps up to the
last reader of the value go on in its process.

Nothing heavy is imported before a step has to be executed. State is written when a step has succeeded, whole or not
at all, so that a run can be stopped at any point and the next one goes on from there.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.graph import ancestors
from nbmlops.pipeline.ir import Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import JoinedSteps, RunStatus, StepError, StepRecord, StepStatus
from nbmlops.runtime.ambient import AmbientState
from nbmlops.runtime.context import StepContext, StepReport
from nbmlops.runtime.endings import error_of
from nbmlops.runtime.errors import Places
from nbmlops.runtime.events import (
    Event,
    InputsChanged,
    NotCacheable,
    RunWaiting,
    StartedCold,
    StepCached,
    StepFinished,
    StepRetried,
    StepsJoined,
    StepSkipped,
    StepStarted,
    StepWarned,
    ValueDamaged,
)
from nbmlops.runtime.execute import SCRATCH, Ending, Job, note_joined
from nbmlops.runtime.facts import Facts, kernel_environment, source_of
from nbmlops.runtime.layout import LOCK_FILE, Layout, layout_of, pipeline_file
from nbmlops.runtime.libraries import distributions_of
from nbmlops.runtime.lock import locked
from nbmlops.runtime.lookup import Lookup
from nbmlops.runtime.namespace import Namespace, fold, names_read
from nbmlops.runtime.parameters import effective_parameters
from nbmlops.runtime.plan import UNCHANGED, select, select_only, step_key
from nbmlops.runtime.process import StepProcess
from nbmlops.runtime.records import CacheRecord, KeyParts, StepOutcome
from nbmlops.runtime.results import RunOptions, StepsResult
from nbmlops.runtime.shared_cache import open_cache
from nbmlops.runtime.store import DamagedObject, ObjectRef, Store
from nbmlops.runtime.termination import Terminated, termination_interrupts
from nbmlops.runtime.tries import set_aside, wait_before
from nbmlops.runtime.unfinished import RunTrace
from nbmlops.runtime.units import joined_from, joined_steps
from nbmlops.runtime.warm import WarmStart

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
    name = f"{started:%Y%m%dT%H%M%SZ}-{options.new_id()}"
    trace = RunTrace(layout, pipeline, name, options)
    run = _Run(pipeline, layout, options, trace.follow(on_event), name)

    def waiting(who: str) -> None:
        on_event(RunWaiting(who))

    # Runs of single steps may go on at the same time: what they write is written whole, and they remove nothing.
    with (
        locked(layout.state / LOCK_FILE, started.isoformat(), options.wait, waiting, shared=bool(options.only)),
        trace.left(on_event),
    ):
        return run.go()


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
        if options.only:
            self._selection = select_only(pipeline, options.only, force=options.force)
        else:
            self._selection = select(pipeline, options.first, options.last, force=options.force)
        variables = options.environment()
        self._environment = kernel_environment(variables)
        self._facts = Facts(pipeline, layout, self._environment, self._parameters, {**variables, **self._environment})
        self._cache, self._store = open_cache(layout, options, on_event), Store(layout.store)
        self._lookup = self._look_up()
        self._warm = WarmStart(pipeline, layout, {**variables, **self._environment}, wanted=options.warm)
        self._process: StepProcess | None = None
        self._joined, self._first = JoinedSteps((), ()), 0  # the steps that run in the process, where they begin
        self._done: list[tuple[StepRecord, CacheRecord]] = []
        self._failed: StepRecord | None = None
        self._repairs = 0

    def go(self) -> StepsResult:
        """Returns the result of the run."""
        stopped_by = ""
        try:
            with termination_interrupts():
                try:
                    while self._failed is None and (self._process or self._is_short()):
                        self._advance(self._pipeline.steps[len(self._done)])
                finally:
                    self._end_process()
                    self._warm.close()
        except KeyboardInterrupt as interruption:
            stopped_by = "SIGTERM" if isinstance(interruption, Terminated) else "SIGINT"
        return self._result(stopped_by)

    def _advance(self, step: Step) -> None:
        outcomes = [record.outcome for _, record in self._done]
        found, reason = ((), f"joined with {self._joined.steps[0]}") if self._process else self._lookup.find(outcomes)
        if self._options.strict and any(record.outcome.warnings for record in found):
            found, reason = (), "something went wrong beside it last time"
        for record in found:
            self._reuse(self._pipeline.step(record.step), record)
        if found:
            return
        if self._process is None and self._is_given(step.name):
            self._leave_out(step)
            return
        values, ambient = fold(outcomes)
        if self._inputs_are_intact(step, values, ambient):
            parts = self._facts.parts(step, values)
            self._execute(step, parts, StepContext(step.name, self._layout.folder, values, ambient, None), reason)

    def _look_up(self) -> Lookup:
        given = frozenset(step.name for step in self._selection.steps if self._is_given(step.name))
        return Lookup(self._pipeline, self._selection.forced, self._facts, self._cache, self._store, given)

    def _is_short(self) -> bool:
        """Returns whether there are steps left to reach."""
        return len(self._done) < len(self._selection.steps)

    def _is_given(self, step: str) -> bool:
        """Returns whether the step is another run's work: this one takes what it left, and executes others."""
        return bool(self._options.only) and step not in self._options.only

    def _leave_out(self, step: Step) -> None:
        """Goes on as if there were no such step: it has not run yet, and none of the steps to execute needs it.

        Raises:
            UsageError: one of them needs it.
        """
        for name in self._options.only:
            if step.name in ancestors(self._pipeline, name):
                raise UsageError(
                    f"step {name!r} needs {step.name!r}, whose results for these parameters are not in the store",
                    f"run it first: nbmlops run {self._layout.folder.name} --only {step.name}",
                )
        self._pipeline = replace(self._pipeline, steps=_without(self._pipeline.steps, step))
        self._selection = replace(self._selection, steps=_without(self._selection.steps, step))
        self._lookup = self._look_up()

    def _reuse(self, step: Step, record: CacheRecord) -> None:
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

    def _inputs_are_intact(self, step: Step, values: Namespace, ambient: AmbientState) -> bool:
        """Returns whether the stored inputs are what was written; if not, goes back to the step that made them.

        Raises:
            EnvironmentFault: they are damaged again and again.
        """
        wanted = {name: values[name].ref for name in names_read(step, values)}
        wanted |= {part: setting.ref for part, setting in ambient.settings.items()}
        wanted |= {"random state": ambient.random} if ambient.random else {}
        damaged = set()
        for ref in set(wanted.values()):
            try:
                self._store.verify(ref)
            except DamagedObject:
                damaged.add(ref)
        if not damaged:
            return True
        makers = [
            number for number, (_, record) in enumerate(self._done) if not damaged.isdisjoint(_stored(record.outcome))
        ]
        self._repairs += 1
        if self._repairs > _REPAIRS:
            raise EnvironmentFault(
                f"stored values under {self._layout.store} are damaged again and again", "check the disk"
            )
        names = tuple(name for name, ref in wanted.items() if ref in damaged)
        self._tell(ValueDamaged(self._done[makers[0]][0].name, names))
        self._end_process()  # what it holds alive is to be made again
        del self._done[makers[0] :]
        return False

    def _execute(self, step: Step, parts: KeyParts, context: StepContext, reason: str) -> None:
        number, total = self._position(step)
        self._prepare()
        self._tell(StepStarted(step.name, number, total, reason))
        begun = self._options.now()
        target = self._layout.runs / self._name / Path(step.notebook).name
        ending, report = self._run_notebook(step, context, target)
        if refusal := self._warm.take_refusal():
            self._tell(StartedCold(refusal))
        record = StepRecord(
            name=step.name,
            status=StepStatus.EXECUTED,
            seconds=_seconds(begun, self._options.now()),
            notebook=self._shown(target),
            log=report.outcome.log if report.outcome else report.log,
            key=step_key(step.name, parts),
            reason=reason,
        )
        error = self._error_of(ending, report)
        if report.outcome is not None and report.outcome.warnings:
            self._tell(StepWarned(step.name, report.outcome.warnings))
        if error is not None or report.outcome is None:
            self._failed = replace(record, status=StepStatus.FAILED, error=error)
            self._tell(StepFinished(self._failed, number, total))
            return
        known, joined = self._joined, self._join(report.outcome)
        kept = self._keep(step, parts, report.outcome, record, target)
        self._done.append((record, kept))
        self._tell(StepFinished(record, number, total))
        if len(self._done) >= self._first + len(joined.steps):
            self._end_process(gently=len(joined.steps) > 1 or step.mode is StepMode.VERBATIM)
        elif joined != known:
            self._tell(StepsJoined(joined))
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
        if self._options.only:
            return
        for leftover in self._layout.runs.glob(f"*/{SCRATCH}*"):  # of killed runs: this one has the lock
            shutil.rmtree(leftover, ignore_errors=True)  # in nobody's way

    def _run_notebook(self, step: Step, context: StepContext, target: Path) -> tuple[Ending, StepReport]:
        tries = 1
        while True:
            ending, report = self._try_notebook(step, context, target)
            error = self._error_of(ending, report)
            wait = wait_before(step, tries, alone=self._first == len(self._done)) if error else None
            if error is None or wait is None:
                return ending, report
            self._end_process()
            set_aside(target, tries)
            self._tell(StepRetried(step.name, tries, step.retries + 1, wait, error))
            self._options.sleep(wait)
            tries += 1

    def _error_of(self, ending: Ending, report: StepReport) -> StepError | None:
        error = error_of(ending, report, Places(self._pipeline, self._layout))
        warnings = report.outcome.warnings if report.outcome else ()
        if error is None and warnings and self._options.strict:
            return StepError("StrictRun", "; ".join(warnings), hint="mend it, or run without --strict")
        return error

    def _try_notebook(self, step: Step, context: StepContext, target: Path) -> tuple[Ending, StepReport]:
        if self._process is None:
            more = len(self._done) + 1 < len(self._selection.steps)
            self._process = StepProcess(self._environment, self._warm.forks_for(step, context.ambient, more=more))
            self._joined, self._first = JoinedSteps((step.name,), ()), len(self._done)
        job = Job(
            source=source_of(self._layout, step),
            target=target,
            folder=self._layout.folder,
            parameters={name: self._parameters[name] for name in step.parameters},
            timeout=self._options.timeout if step.timeout is None else step.timeout,
        )
        return self._process.run(context, job)

    def _join(self, outcome: StepOutcome) -> JoinedSteps:
        """Returns the steps that run in the present process, now that the next one of them has this outcome."""
        outcomes = [*(record.outcome for _, record in self._done), outcome]
        self._joined = joined_from(self._pipeline, outcomes, self._first)
        return self._joined

    def _end_process(self, *, gently: bool = False) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.close(gently=gently)
        if len(self._joined.steps) > 1:
            for _, record in self._done[self._first :]:
                note_joined(self._layout.root / record.notebook, self._joined)

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
            unit=self._joined.steps[0] if len(self._joined.steps) > 1 else "",
        )
        self._cache.add(kept)
        return kept

    def _result(self, stopped_by: str) -> StepsResult:
        records = [record for record, _ in self._done] + ([self._failed] if self._failed else [])
        for step in self._pipeline.steps[len(records) :]:
            records.append(StepRecord(step.name, StepStatus.SKIPPED))
            self._tell(StepSkipped(step.name, *self._position(step)))
        outcomes = [record.outcome for _, record in self._done]
        status = RunStatus.FAILED if self._failed else RunStatus.SUCCEEDED
        return StepsResult(
            status=RunStatus.INTERRUPTED if stopped_by else status,
            steps=tuple(records),
            values=fold(outcomes)[0],
            parameters=self._parameters,
            run=self._name,
            folder=self._layout.runs / self._name,
            origins={record.step: record.run for _, record in self._done},
            signal=stopped_by,
            joined=joined_steps(self._pipeline, outcomes),
        )

    def _position(self, step: Step) -> tuple[int, int]:
        return self._pipeline.steps.index(step) + 1, len(self._pipeline.steps)

    def _shown(self, path: Path) -> str:
        return Path(os.path.relpath(path, self._options.base or Path.cwd())).as_posix() if path.is_file() else ""


def _without(steps: tuple[Step, ...], step: Step) -> tuple[Step, ...]:
    return tuple(other for other in steps if other.name != step.name)


def _stored(outcome: StepOutcome) -> set[ObjectRef]:
    """Returns where everything is that the step left."""
    refs = {value.ref for value in outcome.values} | {setting.ref for setting in outcome.settings.values()}
    return refs | ({outcome.random} if outcome.random else set())


def _seconds(begun: datetime, ended: datetime) -> float:
    return round((ended - begun).total_seconds(), 3)
