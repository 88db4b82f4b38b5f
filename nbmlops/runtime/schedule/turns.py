"""Executes steps of a run: lanes for the one whose turn it is and for others before theirs, results taken in order.

Each step has a process of its own, unless an earlier one left a value that cannot be stored: then the steps up to the
last reader of the value go on in its process.

Steps may run before their turn, beside earlier ones, where their earlier records say that neither reaches the other.
They are taken into the run in their turn, by the rules of the cache: what a step did early counts if it is what it
would do now, else it runs again. So the results of a run are those of notebook order, however many steps run at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from nbmlops.core.errors import EnvironmentFault
from nbmlops.core.threads import short_turns
from nbmlops.pipeline.ir import Step, StepMode
from nbmlops.pipeline.run_record import JoinedSteps, StepError, StepRecord, StepStatus
from nbmlops.runtime.ambient.ambient import AmbientState
from nbmlops.runtime.handover.namespace import Namespace, fold
from nbmlops.runtime.kernels.warm import WarmStart
from nbmlops.runtime.reuse.records import CacheRecord, StepOutcome
from nbmlops.runtime.schedule.conflicts import changes
from nbmlops.runtime.schedule.course import Course
from nbmlops.runtime.schedule.crew import Crew, Over, Ready, Result, Unit
from nbmlops.runtime.schedule.early import Beside, disorder, lasting, obstacles, order_lost
from nbmlops.runtime.schedule.events import (
    InputsChanged,
    NotCacheable,
    StartedCold,
    StepDoneEarly,
    StepFinished,
    StepRepeated,
    StepRetried,
    StepsJoined,
    StepStarted,
    StepWarned,
    ValueDamaged,
)
from nbmlops.runtime.schedule.execute import note_joined
from nbmlops.runtime.schedule.executed import result_of
from nbmlops.runtime.schedule.ground import clear_ground, prepare_ground
from nbmlops.runtime.schedule.lanes import Lane
from nbmlops.runtime.schedule.outlook import Outlook, Progress
from nbmlops.runtime.schedule.schedule import Limits, startable, urgencies
from nbmlops.runtime.schedule.tries import set_aside, wait_before
from nbmlops.runtime.schedule.units import joined_from
from nbmlops.runtime.steps.context import StepContext
from nbmlops.runtime.store.damage import damaged_inputs, maker_of

_REPAIRS = 3


class Turns:
    """Takes the rest of a run's steps in, from one that has to be executed on.

    Args:
        course: The run so far, and what is known of its steps.
        reason: Why its next step has to be executed.
    """

    def __init__(self, course: Course, reason: str) -> None:
        self._course, self._reason, self._tell, self._store = course, reason, course.tell, course.store
        pipeline, layout, options = course.pipeline, course.layout, course.options
        self._outlook = Outlook(pipeline, course.selection.steps, course.facts, course.cache, course.lookup)
        self._limits = Limits(1 if options.only else options.jobs, options.memory)
        self._urgencies: dict[str, float] = {}
        self._warm = WarmStart(pipeline, layout, course.variables, wanted=options.warm)
        self._crew = Crew(course.name, layout, options, course.environment, course.parameters, self._warm)
        self._unit: Unit | None = None
        self._results: dict[str, Result] = {}  # executed, and not taken into the run yet
        self._ends: dict[str, int] = {}  # executed and taken: when they were over
        self._kept_back: set[str] = set()  # not to be started early
        self._repairs = 0
        self._is_prepared = False

    def go(self) -> None:
        """Goes on to the last step to reach, or to one that fails.

        Raises:
            UsageError: `--only` leaves out a step whose results are needed and not there.
            EnvironmentFault: the disk is full, or stored values are damaged again and again.
            KeyboardInterrupt: the run is to stop; its processes have ended.
        """
        course = self._course
        try:
            with short_turns():
                while course.failed is None and (self._unit or course.is_short()):
                    self._turn(course.next)
                while self._crew.running:  # what was begun early may end: the next run finds it in the cache
                    self._hear()
        finally:
            self._stop()

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
        if self._unit:
            reason = f"joined with {self._unit.joined.steps[0]}"
        else:
            reason, self._reason = self._reason or self._course.take_next(), ""
        if not reason:
            return None
        values, ambient = self._course.ground()
        if not self._inputs_are_intact(step, values, ambient):
            return None
        return self._ready(step, values, ambient, reason)

    def _ready(self, step: Step, values: Namespace, ambient: AmbientState, reason: str) -> Ready:
        context = StepContext(step.name, self._course.layout.folder, values, ambient, None)
        return Ready(step, self._course.facts.parts(step, values), context, reason)

    def _inputs_are_intact(self, step: Step, values: Namespace, ambient: AmbientState) -> bool:
        """Returns whether the stored inputs are what was written; if not, goes back to the step that made them.

        Raises:
            EnvironmentFault: they are damaged again and again.
        """
        damaged = damaged_inputs(self._store, step, values, ambient)
        if not damaged:
            return True
        maker = maker_of(damaged.values(), self._course.outcomes())
        self._repairs += 1
        if self._repairs > _REPAIRS:
            raise EnvironmentFault(
                f"stored values under {self._course.layout.store} are damaged again and again", "check the disk"
            )
        self._tell(ValueDamaged(self._course.done[maker][0].name, tuple(damaged)))
        self._end_unit()  # what it holds alive is to be made again
        self._outlook.forget()
        del self._course.done[maker:]
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
            done=self._course.outcomes(),
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
                self._start_early(self._course.pipeline.step(name), early[name].before, early[name].reason)

    def _urgency(self) -> dict[str, float]:
        if not self._urgencies:
            known = {step.name: self._outlook.expected(step) for step in self._course.selection.steps}
            seconds = {name: record.seconds for name, record in known.items() if record}
            self._urgencies = urgencies(self._course.pipeline, seconds)
        return self._urgencies

    def _start_early(self, step: Step, before: Sequence[StepOutcome], reason: str) -> None:
        values, ambient = fold(before)
        if damaged_inputs(self._store, step, values, ambient):
            self._kept_back.add(step.name)  # its turn mends them
            return
        self._start(self._ready(step, values, ambient, reason), early=True)

    def _start(self, ready: Ready, lane: Lane | None = None, *, early: bool = False) -> None:
        if not self._is_prepared:
            prepare_ground(self._course.layout)
            if not self._course.options.only:
                clear_ground(self._course.layout)
            self._is_prepared = True
        last = self._outlook.last_seconds(ready.step)
        self._tell(StepStarted(ready.step.name, *self._course.position(ready.step), ready.reason, last))
        if lane is None:
            lane = self._crew.lane_for(ready, more=len(self._course.done) + 1 < len(self._course.selection.steps))
            if not early:
                self._unit = Unit(lane, ready, len(self._course.done), JoinedSteps((ready.step.name,), ()))
        self._crew.start(ready, lane, early=early)

    def _hear(self) -> None:
        """Waits until a step is over, and notes what it did."""
        over = self._crew.hear()
        if refusal := self._warm.take_refusal():
            self._tell(StartedCold(refusal))
        running = over.running
        result = result_of(over, self._crew.target(running.ready.step), self._course.accounts)
        if running.is_early:
            self._crew.close(running.lane)
            if result.kept is not None and not result.kept.outcome.live:
                self._course.cache.keep(result.kept)
            place = self._course.position(running.ready.step)
            self._tell(StepDoneEarly(running.name, *place, over.seconds, result.error is None))
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
            result = replace(result, error=order_lost(step.name, what, self._course.layout.folder.name))
        if outcome is not None and outcome.warnings:
            self._tell(StepWarned(step.name, outcome.warnings))
        if result.error is None and outcome is not None:
            result = replace(result, error=self._disorder(step.name, result.over, outcome))
        if result.error is not None or result.kept is None:
            if not self._try_again(step, result):
                self._course.failed = replace(result.record, status=StepStatus.FAILED, error=result.error)
                self._tell(StepFinished(self._course.failed, *self._course.position(step)))
            return
        self._commit(step, result.record, result.kept)
        self._ends[step.name] = result.over.until

    def _obstacles(self, result: Result) -> tuple[str, ...]:
        """Returns why a step that ran early has to run again."""
        ready = result.over.running.ready
        if self._unit is not None:
            return (f"joined with {self._unit.joined.steps[0]}",)
        values, ambient = self._course.ground()
        parts, beside = self._course.facts.parts(ready.step, values), self._beside(result.over)
        if result.kept is not None:
            return obstacles(result.kept, parts, self._course.facts.grounds(result.kept, ambient, self._store), beside)
        same = ready.parts == parts and ready.context.ambient == ambient
        if same and not ready.step.retries and not any(changes(other.outcome) for other in beside):
            return ()
        return (f"it failed before its turn{f' ({result.error.name})' if result.error else ''}",)

    def _beside(self, over: Over) -> list[Beside]:
        """Returns the earlier steps that were not over when the step began."""
        since = over.running.since
        return [
            Beside(record.step, record.outcome)
            for _, record in self._course.done
            if self._ends.get(record.step, 0) > since
        ]

    def _disorder(self, step: str, over: Over, outcome: StepOutcome) -> StepError | None:
        later = [
            Beside(name, other.over.report.outcome)
            for name, other in self._results.items()
            if other.over.report.outcome is not None and other.over.running.since < over.until
        ]
        return disorder(Beside(step, outcome), self._beside(over), later, self._course.layout.folder.name)

    def _try_again(self, step: Step, result: Result) -> bool:
        """Starts the process again that the step failed in, if all that ran there are declared so."""
        unit = self._unit
        if unit is None or result.over.running.is_early or result.error is None or self._course.options.once:
            return False
        steps = self._course.pipeline.steps[unit.first : len(self._course.done) + 1]
        wait = wait_before(steps, unit.tries)
        if wait is None:
            return False
        self._end_unit()
        set_aside(self._crew.target(step), unit.tries)
        most = min(other.retries for other in steps) + 1
        self._tell(StepRetried(step.name, unit.tries, most, wait, result.error))
        del self._course.done[unit.first :]
        more = unit.first + 1 < len(self._course.selection.steps)
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
            known, joined = (
                unit.joined,
                joined_from(self._course.pipeline, [*self._course.outcomes(), outcome], unit.first),
            )
            unit.joined = joined
        kept = replace(kept, unit=joined.steps[0] if len(joined.steps) > 1 else "")
        self._course.cache.add(kept)
        self._course.done.append((record, kept))
        self._tell(StepFinished(record, *self._course.position(step)))
        if unit is not None and len(self._course.done) >= unit.first + len(joined.steps):
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
            for _, record in self._course.done[unit.first :]:
                note_joined(self._course.layout.root / record.notebook, unit.joined)
