"""Runs the steps of a compiled pipeline in notebook order: cached ones are skipped, others executed by papermill.

Each step has a process of its own, unless an earlier one left a value that cannot be stored: then the steps up to the
last reader of the value go on in its process.

Steps may run before their turn, beside earlier ones, where their earlier records say that neither reaches the other.
They are taken into the run in their turn, by the rules of the cache: what a step did early counts if it is what it
would do now, else it runs again. So the results of a run are those of notebook order, however many steps run at once.

Nothing heavy is imported before a step has to be executed. State is written when a step has succeeded, whole or not
at all, so that a run can be stopped at any point and the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.graph import ancestors
from nbmlops.pipeline.ir import Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import JoinedSteps, StepError, StepRecord, StepStatus
from nbmlops.runtime.accounts import Accounts
from nbmlops.runtime.ambient import AmbientState
from nbmlops.runtime.conflicts import changes
from nbmlops.runtime.context import StepContext
from nbmlops.runtime.crew import Crew, Over, Ready, Result, Unit
from nbmlops.runtime.damage import damaged_inputs, maker_of
from nbmlops.runtime.early import Beside, disorder, lasting, obstacles, order_lost
from nbmlops.runtime.events import (
    Event,
    InputsChanged,
    NotCacheable,
    RunWaiting,
    StartedCold,
    StepCached,
    StepFinished,
    StepRepeated,
    StepRetried,
    StepsJoined,
    StepSkipped,
    StepStarted,
    StepWarned,
    ValueDamaged,
)
from nbmlops.runtime.execute import note_joined
from nbmlops.runtime.facts import Facts, kernel_environment
from nbmlops.runtime.ground import clear_ground, prepare_ground
from nbmlops.runtime.lanes import Lane
from nbmlops.runtime.layout import LOCK_FILE, Layout, layout_of, pipeline_file
from nbmlops.runtime.lock import locked
from nbmlops.runtime.lookup import Lookup
from nbmlops.runtime.namespace import Namespace, fold
from nbmlops.runtime.outlook import Outlook, Progress
from nbmlops.runtime.parameters import effective_parameters
from nbmlops.runtime.plan import select, select_only
from nbmlops.runtime.records import CacheRecord, StepOutcome
from nbmlops.runtime.results import RunOptions, StepsResult
from nbmlops.runtime.schedule import Limits, startable, urgencies
from nbmlops.runtime.shared_cache import open_cache
from nbmlops.runtime.store import Store
from nbmlops.runtime.termination import Terminated, termination_interrupts
from nbmlops.runtime.tries import set_aside, wait_before
from nbmlops.runtime.unfinished import RunTrace
from nbmlops.runtime.units import joined_from
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
        environment = kernel_environment(variables)
        variables = {**variables, **environment}
        self._facts = Facts(pipeline, layout, environment, self._parameters, variables)
        self._cache, self._store = open_cache(layout, options, on_event), Store(layout.store)
        self._lookup = self._look_up()
        self._outlook = Outlook(pipeline, self._selection.steps, self._facts, self._cache, self._lookup)
        self._limits = Limits(1 if options.only else options.jobs, options.memory)
        self._urgencies: dict[str, float] = {}
        self._warm = WarmStart(pipeline, layout, variables, wanted=options.warm)
        self._crew = Crew(name, layout, options, environment, self._parameters, self._warm)
        self._accounts = Accounts(name, pipeline, layout, options, self._parameters, self._facts.versions)
        self._unit: Unit | None = None
        self._done: list[tuple[StepRecord, CacheRecord]] = []
        self._results: dict[str, Result] = {}  # executed, and not taken into the run yet
        self._ends: dict[str, int] = {}  # executed and taken: when they were over
        self._kept_back: set[str] = set()  # not to be started early
        self._failed: StepRecord | None = None
        self._repairs = 0
        self._is_prepared = False

    def go(self) -> StepsResult:
        """Returns the result of the run."""
        stopped_by = ""
        try:
            with termination_interrupts():
                try:
                    while self._failed is None and (self._unit or self._is_short()):
                        self._turn(self._pipeline.steps[len(self._done)])
                    while self._crew.running:  # what was begun early may end: the next run finds it in the cache
                        self._hear()
                finally:
                    self._stop()
        except KeyboardInterrupt as interruption:
            stopped_by = "SIGTERM" if isinstance(interruption, Terminated) else "SIGINT"
        return self._result(stopped_by)

    def _turn(self, step: Step) -> None:
        """Takes the step into the run, whose turn it is, or starts what may start and waits until something is over."""
        if step.name in self._results:
            self._take(self._results.pop(step.name))
            return
        if step.name not in self._crew.running and (self._unit or len(self._crew.running) < self._limits.jobs):
            ready = self._decide(step)
            if ready is None:
                return
            if self._unit:
                self._start(ready, self._unit.lane)
                ready = None
            self._start_what_may(ready)
        else:
            self._start_what_may(None)
        if self._crew.running:
            self._hear()

    def _decide(self, step: Step) -> Ready | None:
        """Returns the step if it has to be executed, None if the run has gone on, or back, without that."""
        outcomes = self._outcomes()
        found, reason = ((), f"joined with {self._unit.joined.steps[0]}") if self._unit else self._lookup.find(outcomes)
        if self._options.strict and any(record.outcome.warnings for record in found):
            found, reason = (), "something went wrong beside it last time"
        for record in found:
            self._reuse(self._pipeline.step(record.step), record)
        if found:
            return None
        if self._unit is None and self._is_given(step.name):
            self._leave_out(step)
            return None
        values, ambient = fold(outcomes)
        if not self._inputs_are_intact(step, values, ambient):
            return None
        return self._ready(step, values, ambient, reason)

    def _ready(self, step: Step, values: Namespace, ambient: AmbientState, reason: str) -> Ready:
        context = StepContext(step.name, self._layout.folder, values, ambient, None)
        return Ready(step, self._facts.parts(step, values), context, reason)

    def _outcomes(self) -> list[StepOutcome]:
        return [record.outcome for _, record in self._done]

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
        cached = self._accounts.reused(record)
        self._done.append((cached, record))
        self._tell(StepCached(cached, *self._position(step)))

    def _inputs_are_intact(self, step: Step, values: Namespace, ambient: AmbientState) -> bool:
        """Returns whether the stored inputs are what was written; if not, goes back to the step that made them.

        Raises:
            EnvironmentFault: they are damaged again and again.
        """
        damaged = damaged_inputs(self._store, step, values, ambient)
        if not damaged:
            return True
        maker = maker_of(damaged.values(), self._outcomes())
        self._repairs += 1
        if self._repairs > _REPAIRS:
            raise EnvironmentFault(
                f"stored values under {self._layout.store} are damaged again and again", "check the disk"
            )
        self._tell(ValueDamaged(self._done[maker][0].name, tuple(damaged)))
        self._end_unit()  # what it holds alive is to be made again
        self._outlook.forget()
        del self._done[maker:]
        return False

    def _start_what_may(self, ready: Ready | None) -> None:
        """Starts the step whose turn it is, if it is ready, and others before their turn, as far as there is room."""
        if self._limits.jobs == 1:
            if ready is not None:
                self._start(ready)
            return
        unit = self._unit.joined.steps if self._unit else ()
        failed = any(result.kept is None for result in self._results.values())
        progress = Progress(
            done=self._outcomes(),
            running=frozenset(self._crew.running),
            ended={name: result.kept.outcome for name, result in self._results.items() if result.kept},
            held=frozenset({*self._kept_back, *unit, *self._results}),
            is_ready=ready is not None,
        )
        jobs = 1 if failed else self._limits.jobs  # the run is going to end there
        standings, early = self._outlook.standings(progress, self._limits.jobs)
        for name in startable(standings, replace(self._limits, jobs=jobs), self._urgency()):
            if ready is not None and name == ready.step.name:
                self._start(ready)
            elif name in early:
                self._start_early(self._pipeline.step(name), early[name].before, early[name].reason)

    def _urgency(self) -> dict[str, float]:
        if not self._urgencies:
            known = {step.name: self._outlook.expected(step) for step in self._selection.steps}
            seconds = {name: record.seconds for name, record in known.items() if record}
            self._urgencies = urgencies(self._pipeline, seconds)
        return self._urgencies

    def _start_early(self, step: Step, before: Sequence[StepOutcome], reason: str) -> None:
        values, ambient = fold(before)
        if damaged_inputs(self._store, step, values, ambient):
            self._kept_back.add(step.name)  # its turn mends them
            return
        self._start(self._ready(step, values, ambient, reason), early=True)

    def _start(self, ready: Ready, lane: Lane | None = None, *, early: bool = False) -> None:
        if not self._is_prepared:
            prepare_ground(self._layout)
            if not self._options.only:
                clear_ground(self._layout)
            self._is_prepared = True
        self._tell(StepStarted(ready.step.name, *self._position(ready.step), ready.reason))
        if lane is None:
            lane = self._crew.lane_for(ready, more=len(self._done) + 1 < len(self._selection.steps))
            if not early:
                self._unit = Unit(lane, ready, len(self._done), JoinedSteps((ready.step.name,), ()))
        self._crew.start(ready, lane, early=early)

    def _hear(self) -> None:
        """Waits until a step is over, and notes what it did."""
        over = self._crew.hear()
        if refusal := self._warm.take_refusal():
            self._tell(StartedCold(refusal))
        running = over.running
        result = self._accounts.executed(over, self._crew.target(running.ready.step))
        if running.is_early:
            self._crew.close(running.lane)
            if result.kept is not None and not result.kept.outcome.live:
                self._cache.keep(result.kept)
        self._results[running.name] = result

    def _take(self, result: Result) -> None:
        """Takes an executed step into the run, in its turn, if what it did counts."""
        step, outcome = result.over.running.ready.step, result.over.report.outcome
        if result.over.running.is_early and (reasons := self._obstacles(result)):
            self._tell(StepRepeated(step.name, reasons[0]))
            self._outlook.forget()
            what = lasting(result.over.report, self._beside(result.over))
            if not what:
                self._kept_back.add(step.name)
                return
            result = replace(result, error=order_lost(step.name, what, self._layout.folder.name))
        if outcome is not None and outcome.warnings:
            self._tell(StepWarned(step.name, outcome.warnings))
        if result.error is None and outcome is not None:
            result = replace(result, error=self._disorder(step.name, result.over, outcome))
        if result.error is not None or result.kept is None:
            if not self._try_again(step, result):
                self._failed = replace(result.record, status=StepStatus.FAILED, error=result.error)
                self._tell(StepFinished(self._failed, *self._position(step)))
            return
        self._commit(step, result.record, result.kept)
        self._ends[step.name] = result.over.until

    def _obstacles(self, result: Result) -> tuple[str, ...]:
        """Returns why a step that ran early has to run again."""
        ready = result.over.running.ready
        if self._unit is not None:
            return (f"joined with {self._unit.joined.steps[0]}",)
        values, ambient = fold(self._outcomes())
        parts, beside = self._facts.parts(ready.step, values), self._beside(result.over)
        if result.kept is not None:
            return obstacles(result.kept, parts, self._facts.grounds(result.kept, ambient, self._store), beside)
        same = ready.parts == parts and ready.context.ambient == ambient
        if same and not ready.step.retries and not any(changes(other.outcome) for other in beside):
            return ()
        return (f"it failed before its turn{f' ({result.error.name})' if result.error else ''}",)

    def _beside(self, over: Over) -> list[Beside]:
        """Returns the earlier steps that were not over when the step began."""
        since = over.running.since
        return [
            Beside(record.step, record.outcome) for _, record in self._done if self._ends.get(record.step, 0) > since
        ]

    def _disorder(self, step: str, over: Over, outcome: StepOutcome) -> StepError | None:
        later = [
            Beside(name, other.over.report.outcome)
            for name, other in self._results.items()
            if other.over.report.outcome is not None and other.over.running.since < over.until
        ]
        return disorder(Beside(step, outcome), self._beside(over), later, self._layout.folder.name)

    def _try_again(self, step: Step, result: Result) -> bool:
        """Starts the process again that the step failed in, if all that ran there are declared so."""
        unit = self._unit
        if unit is None or result.over.running.is_early or result.error is None:
            return False
        steps = self._pipeline.steps[unit.first : len(self._done) + 1]
        wait = wait_before(steps, unit.tries)
        if wait is None:
            return False
        self._end_unit()
        set_aside(self._crew.target(step), unit.tries)
        most = min(other.retries for other in steps) + 1
        self._tell(StepRetried(step.name, unit.tries, most, wait, result.error))
        del self._done[unit.first :]
        more = unit.first + 1 < len(self._selection.steps)
        lane = self._crew.lane_for(unit.ready, more=more)
        joined = JoinedSteps((unit.ready.step.name,), ())
        self._unit = Unit(lane, unit.ready, unit.first, joined, unit.tries + 1)
        self._crew.start(unit.ready, lane, wait=wait)
        return True

    def _commit(self, step: Step, record: StepRecord, kept: CacheRecord) -> None:
        outcome = kept.outcome
        self._outlook.settle(step, outcome)
        unit = self._unit
        known = joined = JoinedSteps((step.name,), ())
        if unit is not None:
            known, joined = unit.joined, joined_from(self._pipeline, [*self._outcomes(), outcome], unit.first)
            unit.joined = joined
        kept = replace(kept, unit=joined.steps[0] if len(joined.steps) > 1 else "")
        self._cache.add(kept)
        self._done.append((record, kept))
        self._tell(StepFinished(record, *self._position(step)))
        if unit is not None and len(self._done) >= unit.first + len(joined.steps):
            self._end_unit(gently=len(joined.steps) > 1 or step.mode is StepMode.VERBATIM)
        elif joined != known:
            self._tell(StepsJoined(joined))
        if outcome.changed_inputs:
            self._tell(InputsChanged(step.name, outcome.changed_inputs))
        if outcome.unkeyable:
            self._tell(NotCacheable(step.name, outcome.unkeyable))

    def _end_unit(self, *, gently: bool = False) -> None:
        if self._unit is None:
            return
        unit, self._unit = self._unit, None
        self._crew.close(unit.lane, gently=gently)
        self._note(unit)

    def _stop(self) -> None:
        """Ends all processes."""
        unit, self._unit = self._unit, None
        self._crew.stop()
        if unit is not None:
            self._note(unit)

    def _note(self, unit: Unit) -> None:
        if len(unit.joined.steps) > 1:
            for _, record in self._done[unit.first :]:
                note_joined(self._layout.root / record.notebook, unit.joined)

    def _result(self, stopped_by: str) -> StepsResult:
        records = [record for record, _ in self._done] + ([self._failed] if self._failed else [])
        for step in self._pipeline.steps[len(records) :]:
            records.append(StepRecord(step.name, StepStatus.SKIPPED))
            self._tell(StepSkipped(step.name, *self._position(step)))
        return self._accounts.closed(records, [record for _, record in self._done], stopped_by)

    def _position(self, step: Step) -> tuple[int, int]:
        return self._pipeline.steps.index(step) + 1, len(self._pipeline.steps)


def _without(steps: tuple[Step, ...], step: Step) -> tuple[Step, ...]:
    return tuple(other for other in steps if other.name != step.name)
