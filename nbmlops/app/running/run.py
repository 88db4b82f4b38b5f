"""Running a compiled pipeline: steps, then the gate, then the registration, all in one tracked run.

The tracked run begins when the first step really executes; a run that executes nothing imports no MLflow and reports
the outcome of the run that produced the results. An interruption closes the run in order and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.app.running.background import BackgroundRun
from nbmlops.app.running.cached import Wishes, reuse
from nbmlops.app.running.next_commands import next_commands
from nbmlops.app.running.opened import OpenedPipeline, open_pipeline
from nbmlops.app.running.outcome import RunOutcome
from nbmlops.app.running.progress import Progress, StageStarted
from nbmlops.app.running.report import (
    identified,
    kept_folder,
    run_record,
    write_documents,
    write_run_document,
)
from nbmlops.app.running.results import ResultsIndex, policy_digest, results_digest
from nbmlops.app.running.stages import Wants, close_run, value_metrics
from nbmlops.app.session.redaction_notes import forget_notes, process_notes
from nbmlops.app.wiring import Stores
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import NbmlopsError, Terminated, UsageError
from nbmlops.pipeline.demands import is_memory, memory_bytes
from nbmlops.pipeline.fits import logged_fits
from nbmlops.pipeline.run_record import RunPhase, RunRecord, RunStatus, StepLog, StepRecord
from nbmlops.runtime.parameters import effective_parameters, parse_overrides
from nbmlops.runtime.runner import open_run
from nbmlops.runtime.schedule.events import Event, StepCached, StepFinished, StepSkipped, StepStarted
from nbmlops.runtime.schedule.machine import available_memory, usable_cores
from nbmlops.runtime.schedule.results import KilledRun, RunOptions, StepsResult
from nbmlops.runtime.schedule.unfinished import OpenRun
from nbmlops.tracking.tracker import RunStart, RunState, Tracker

Listener = Callable[[Progress], None]

_STATES = {
    RunStatus.SUCCEEDED: RunState.FINISHED,
    RunStatus.GATE_REJECTED: RunState.FINISHED,
    RunStatus.FAILED: RunState.FAILED,
    RunStatus.INTERRUPTED: RunState.KILLED,
}


class RunRequest(Struct, frozen=True):
    """What the caller asks for.

    Attributes:
        pipeline: A pipeline's folder or its name, relative to `cwd`.
        cwd: The folder that paths in the outcome are relative to.
        parameters: `name=value` texts.
        force: Execute every step.
        from_step: Execute this step and those that need it; "" for none.
        to_step: Stop after this step, without gate and registration; "" for none.
        only: Execute these steps and no others, over what earlier runs left; nothing is tracked. Empty for all.
        register: Register the model if the gate lets it pass.
        judge: Judge again although no step was executed.
        values: Values of parameters, over those of `parameters`.
        closing: Go on to gate and registration after the last step.
        timeout: Seconds that a step may take if the pipeline does not say; None for any time.
        strict: A step beside which something went wrong (an exception in a thread) has failed.
        cold: Start the process of each step from nothing.
        jobs: How many steps may run at once; 0 for what the configuration says, else for as many as there are cores.
        memory: What they may take together, such as "8GiB"; "" for what the configuration says, else for what is free.
        store: The shared store, a URL or a folder; "" for that of the configuration, if it has one.
        executor: Where steps are executed: "dask", "dask://HOST:PORT", or "" for this machine.
        in_order: Before `only`, execute earlier steps without results that are not known to leave them alone.
        once: Do not try steps again that failed, whatever the pipeline says.
    """

    pipeline: str
    cwd: Path
    parameters: tuple[str, ...] = ()
    force: bool = False
    from_step: str = ""
    to_step: str = ""
    only: tuple[str, ...] = ()
    register: bool = True
    judge: bool = False
    values: Mapping[str, Json] = field(default_factory=dict)
    closing: bool = True
    timeout: float | None = None
    strict: bool = False
    cold: bool = False
    jobs: int = 0
    memory: str = ""
    store: str = ""
    executor: str = ""
    in_order: bool = False
    once: bool = False


def run(request: RunRequest, tell: Listener, parent: Callable[[], str] | None = None) -> RunOutcome:
    """Returns how the run ended; a failing step, a rejection and an interruption are outcomes, not exceptions.

    Args:
        request: What to run, and how.
        tell: Told of everything that happens, in order.
        parent: Gives the id of the tracked run that this one is a part of; asked when a step is executed.

    Raises:
        UsageError: the pipeline, a parameter or a step cannot be used, or a step needs one that has not run.
        ConfigError: the configuration is malformed.
        EnvironmentFault: disk, kernel or tracking store cannot be used.
        Conflict: another run of the pipeline did not end in time.
    """
    if request.only and (request.from_step or request.to_step):
        raise UsageError("--only excludes --from and --to", "name every step to execute: --only A --only B")
    forget_notes()
    opened = open_pipeline(request.pipeline, request.cwd)
    options = run_options(opened, request)
    if request.in_order:
        return _in_order(opened, request, options, tell)
    if request.executor:
        if request.only:
            raise UsageError("--only and --executor exclude each other", "the executor's workers use --only themselves")
        from nbmlops.app.running.elsewhere import execute_elsewhere  # noqa: PLC0415 - most runs stay here

        options = execute_elsewhere(opened.folder, options, request.executor, tell)
    stores = Stores(opened.root, opened.uri)
    tracked = BackgroundRun(
        lambda: _without_dead_runs(stores.tracker, opened.config.experiment),
        lambda: _start(opened, parent() if parent else ""),
    )
    tracked.log(StepLog(params=effective_parameters(opened.pipeline, options.parameters)))
    with closing(tracked):
        outcome = _Run(opened, request, stores, tracked, tell).go(options)
    return replace(outcome, notes=(*outcome.notes, *process_notes()))


def _in_order(opened: OpenedPipeline, request: RunRequest, options: RunOptions, tell: Listener) -> RunOutcome:
    """Returns how single steps ended, each executed after the earlier ones that it may not pass.

    Raises:
        UsageError: no step is named.
    """
    from nbmlops.app.running.in_order import missing_before, turn_of  # noqa: PLC0415 - only engines ask for it

    if not request.only:
        raise UsageError("--in-order is about single steps", "name one: --only STEP --in-order")
    for step in missing_before(opened.folder, options):
        with turn_of(opened.folder, step):  # the step's own task finds it done then
            outcome = run(replace(request, only=(step,), in_order=False, once=False, force=False), tell)
        if outcome.record.status is not RunStatus.SUCCEEDED:
            return outcome
    with ExitStack() as turns:
        for step in sorted(request.only):
            turns.enter_context(turn_of(opened.folder, step))
        return run(replace(request, in_order=False), tell)


def run_options(opened: OpenedPipeline, request: RunRequest) -> RunOptions:
    """Returns how the steps are to be run, by the request and the configuration.

    Raises:
        UsageError: a parameter, the memory or the shared store cannot be used.
    """
    return RunOptions(
        parameters={**parse_overrides(opened.pipeline, request.parameters), **request.values},
        force=request.force,
        first=request.from_step,
        last=request.to_step,
        only=request.only,
        once=request.once,
        base=request.cwd,
        timeout=request.timeout,
        strict=request.strict,
        warm=opened.config.warm and not request.cold,
        jobs=request.jobs or opened.config.jobs or usable_cores(),
        memory=_memory(request.memory or opened.config.memory),
        store=shared_store(opened, request),
    )


def _memory(text: str) -> int:
    """Returns the bytes that steps may take together.

    Raises:
        UsageError: the text means none.
    """
    if not text:
        return available_memory()
    if not is_memory(text):
        raise UsageError(f"{text!r:.60} is no amount of memory", "write it like 8GiB or 500MB")
    return memory_bytes(text)


def shared_store(opened: OpenedPipeline, request: RunRequest) -> str:
    """Returns the address of the shared store of a run, "" for none.

    Raises:
        UsageError: it holds a password.
    """
    store, base = (request.store, request.cwd) if request.store else (opened.config.store, opened.root)
    if not store:
        return ""
    from nbmlops.runtime.store.shared_files import address_of  # noqa: PLC0415 - most runs share nothing

    return address_of(store, base)


def _start(opened: OpenedPipeline, parent: str) -> RunStart:
    from nbmlops.app.running.start import run_start  # noqa: PLC0415 - only runs that execute something are tracked

    return run_start(opened, parent)


def _without_dead_runs(tracker: Tracker, experiment: str) -> Tracker:
    """Returns the tracker after it has ended the runs of processes that died without a word."""
    tracker.mark_killed(experiment)
    return tracker


def _with_inputs(step: StepRecord, root: Path) -> StepLog:
    from nbmlops.app.running.step_inputs import step_inputs  # noqa: PLC0415 - a run that executes nothing asks for no inputs

    return replace(step.log, data=(*step.log.data, *step_inputs(step.files, root)))


class _Run:
    """One run, from the first step to the last document."""

    def __init__(
        self, opened: OpenedPipeline, request: RunRequest, stores: Stores, tracked: BackgroundRun, tell: Listener
    ) -> None:
        self._opened = opened
        self._request = request
        self._stores = stores
        self._tracked = tracked
        self._tell = tell
        self._unwritten: RunRecord | None = None
        self._logged: dict[str, tuple[StepLog, Mapping[str, str]]] = {}
        self._is_ready = False
        self._is_ending = False

    def go(self, options: RunOptions) -> RunOutcome:
        """Returns how the run ended."""
        # Until its last document is written no other run of the pipeline begins: that one would judge the same again.
        with open_run(self._opened.folder, replace(options, settle=self._settle), self._follow) as running:
            return self._run(running)

    def _settle(self, killed: KilledRun) -> RunRecord | None:
        from nbmlops.app.running.killed import settle  # noqa: PLC0415 - few runs come after one that was killed

        return settle(self._opened, self._stores, self._request.cwd, killed)

    def _run(self, running: OpenRun) -> RunOutcome:
        try:
            result = running.go()
            if result.status is not RunStatus.SUCCEEDED:
                return self._stopped(result, running)
            if self._request.to_step or self._request.only:
                return self._partial(result, running)
            index = ResultsIndex(self._opened.root, self._opened.pipeline.name)
            known = None if self._tracked.has_begun else index.find(results_digest(self._opened.pipeline, result.steps))
            if known is not None:
                request = self._request
                wishes = Wishes(request.cwd, request.register, request.judge, self._tell, request.closing)
                return reuse(self._opened, self._stores, result, known, wishes)
            return self._close(result, index, running)
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt | Terminated)
            self._abandon(RunStatus.INTERRUPTED if interrupted else RunStatus.FAILED)
            raise

    def _follow(self, event: Event) -> None:
        if isinstance(event, StepStarted) and not self._request.only:
            self._tracked.begin()
        elif isinstance(event, StepCached | StepFinished):
            self._log(event.record)
            self._get_ready_to_register()
        self._is_ending = self._is_ending or isinstance(event, StepSkipped)
        self._tell(event)

    def _get_ready_to_register(self) -> None:
        """Imports what a registration takes, from the first step's end on: until then steps use all cores to start."""
        request = self._request
        asked = request.register and request.closing and not request.to_step
        if asked and self._tracked.has_begun and self._opened.pipeline.register is not None and not self._is_ready:
            self._is_ready = True
            self._tracked.import_ahead(self._stores.registry.modules)

    def _log(self, step: StepRecord) -> None:
        """Sends what a step recorded and read; after a damaged value made the run go back, only what is new."""
        told = (step.log, step.files)
        if self._logged.get(step.name) != told:
            self._logged[step.name] = told
            self._tracked.log_of(lambda: _with_inputs(step, self._opened.root))

    def _log_fits(self, result: StepsResult) -> None:
        """Sends what autologging told, now that all steps have: its names are given in notebook order."""
        told = logged_fits(step.log for step in result.steps)
        if told != StepLog():
            self._tracked.log(told)

    def _stopped(self, result: StepsResult, running: OpenRun) -> RunOutcome:
        """Returns the outcome of a run that failed or was interrupted."""
        record = self._record(result)
        if self._tracked.has_begun:
            self._log_fits(result)
            record = self._identified(record)
            running.trace.reach(RunPhase.WRITING, record)
            record = self._documented(record)
        commands = next_commands(self._opened, self._request.cwd, record)
        return RunOutcome(record, next_commands=commands, terminated=result.signal == "SIGTERM")

    def _partial(self, result: StepsResult, running: OpenRun) -> RunOutcome:
        """Returns the outcome of a run that was asked to stop before the end."""
        record = self._record(result)
        if self._tracked.has_begun:
            self._log_fits(result)
            record = self._identified(record)
            running.trace.reach(RunPhase.WRITING, record)
            record = self._documented(record)
        asked = f"stopped after {self._request.to_step}" if self._request.to_step else "only these steps"
        note = f"{asked}, as asked: not judged, nothing registered"
        return RunOutcome(record, notes=(note,))

    def _close(self, result: StepsResult, index: ResultsIndex, running: OpenRun) -> RunOutcome:
        """Returns the outcome of a run whose steps all succeeded: judged and registered if asked, documented."""
        self._unwritten = self._record(result)
        running.trace.reach(RunPhase.JUDGING, self._unwritten)
        self._log_fits(result)
        metrics = value_metrics(self._opened, result)
        if metrics:
            self._tracked.log(StepLog(metrics=metrics))
        self._tell(StageStarted("track"))
        record = self._identified(run_record(self._opened, self._request.cwd, result, metrics))
        digest = results_digest(self._opened.pipeline, result.steps)

        def reach(phase: RunPhase, record: RunRecord) -> str:
            judged_by = policy_digest(self._opened.config.policy) if record.verdict is not None else ""
            running.trace.reach(phase, record, digest, judged_by)
            return judged_by

        outcome = RunOutcome(record)
        reach(RunPhase.JUDGING, record)
        if self._request.closing:
            wants = Wants(self._tell, reach, register=self._request.register)
            outcome = close_run(self._opened, self._stores, record, result, wants)
        judged_by = reach(RunPhase.WRITING, outcome.record)
        record = self._documented(outcome.record)
        if outcome.fault is None:
            kept = replace(record, folder=kept_folder(self._opened, self._request.cwd, record))
            index.remember(digest, kept, judged_by)
        commands = next_commands(self._opened, self._request.cwd, record)
        return replace(outcome, record=record, next_commands=commands)

    def _record(self, result: StepsResult) -> RunRecord:
        return run_record(self._opened, self._request.cwd, result)

    def _identified(self, record: RunRecord) -> RunRecord:
        """Returns the record with the id of the tracked run, when everything logged so far is in the store."""
        self._unwritten = record
        _, facts = self._tracked.wait()
        self._unwritten = identified(record, facts)
        return self._unwritten

    def _documented(self, record: RunRecord) -> RunRecord:
        """Returns the record after it was written to disk and to the tracked run, which is ended."""
        self._unwritten = record
        tracker, _ = self._tracked.wait()
        write_documents(self._request.cwd, record, tracker, self._opened.config.notebook or "whole")
        tracker.end_run(record.run_id, _STATES[record.status])
        return record

    def _abandon(self, status: RunStatus) -> None:
        """Ends the run in the store, and leaves a run document if its steps came to an end."""
        # What went wrong first is what the caller must hear of, also when disk or store cannot be told.
        record = self._unwritten
        was_ending = self._is_ending if record is None else record.status is RunStatus.INTERRUPTED
        is_second = was_ending and status is RunStatus.INTERRUPTED
        if record is not None:
            if record.status in {RunStatus.SUCCEEDED, RunStatus.GATE_REJECTED}:
                record = replace(record, status=status)
            with suppress(NbmlopsError):
                write_run_document(self._request.cwd, record)
        # Who interrupts twice wants it to end now: the next run finds this one without its process, and ends it.
        if self._tracked.has_begun and not is_second:
            with suppress(NbmlopsError):
                tracker, facts = self._tracked.started()
                tracker.end_run(facts.run_id, _STATES[status])
