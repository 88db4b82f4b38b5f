"""The steps of one run that are being executed: started here, each in a lane, and heard of here when they are over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.ir import Step
from nbmlops.pipeline.run_record import JoinedSteps, StepError, StepRecord
from nbmlops.runtime.kernels.process import StepProcess
from nbmlops.runtime.kernels.warm import WarmStart
from nbmlops.runtime.layout import Layout
from nbmlops.runtime.reuse.facts import source_of
from nbmlops.runtime.reuse.records import CacheRecord, KeyParts
from nbmlops.runtime.schedule.execute import Ending, Job
from nbmlops.runtime.schedule.lanes import Ended, Lane, Outbox, Task
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.steps.context import StepContext, StepReport

_HEED = 0.5
"""Seconds after which a wait for steps looks for signals: once polars is imported, Ctrl-C cuts no wait short."""


class Ready(Struct, frozen=True):
    """A step that is to be executed: what it is keyed by, what it is given, and why it was not reused."""

    step: Step
    parts: KeyParts
    context: StepContext
    reason: str


class Running(Struct, frozen=True):
    """A step that is being executed.

    Attributes:
        ready: What is executed.
        lane: Where.
        begun: When it began.
        since: The place of its beginning among all beginnings and ends of the run.
        is_early: Whether it began before its turn.
    """

    ready: Ready
    lane: Lane
    begun: datetime
    since: int
    is_early: bool

    @property
    def name(self) -> str:
        """The step's name."""
        return self.ready.step.name


class Over(Struct, frozen=True):
    """A step that has been executed: how that ended, when (as in `Running`), and how many seconds it took."""

    running: Running
    ending: Ending
    report: StepReport
    until: int
    seconds: float


class Unit(Struct):
    """The process of the step whose turn it is, and of those it is joined with.

    Attributes:
        lane: Where it runs.
        ready: Its first step.
        first: The place of that one.
        joined: The steps that run in it, as far as is known.
        tries: How often it was started.
    """

    lane: Lane
    ready: Ready
    first: int
    joined: JoinedSteps
    tries: int = 1


class Result(Struct, frozen=True):
    """An executed step that has not been taken into the run yet; `kept` is its record, None if it failed."""

    over: Over
    record: StepRecord
    error: StepError | None
    kept: CacheRecord | None


class Crew(Struct):
    """Executes the steps of a run, several at once.

    Attributes:
        name: The run's name.
        layout: Where things are.
        options: How to run.
        environment: Variables set for the steps' processes.
        parameters: Value of every parameter.
        warm: Where processes are forked from.
        running: The steps that are being executed.
    """

    name: str
    layout: Layout
    options: RunOptions
    environment: Mapping[str, str]
    parameters: Mapping[str, Json]
    warm: WarmStart
    running: dict[str, Running] = field(default_factory=dict)
    _outbox: Outbox = field(default_factory=SimpleQueue)
    _lanes: dict[Lane, None] = field(default_factory=dict)
    _count: int = 0

    def target(self, step: Step) -> Path:
        """Returns where the executed notebook of a step goes."""
        return self.layout.runs / self.name / Path(step.notebook).name

    def lane_for(self, ready: Ready, *, more: bool) -> Lane:
        """Returns a lane with a new process.

        Args:
            ready: What is to be executed in it first.
            more: Whether other steps may have to run after it.
        """
        forks = self.warm.forks_for(ready.step, ready.context.ambient, more=more)
        lane = Lane(StepProcess(self.environment, forks), self._outbox, self.options.sleep)
        self._lanes[lane] = None
        return lane

    def start(self, ready: Ready, lane: Lane, *, early: bool = False, wait: float = 0.0) -> None:
        """Begins to execute a step.

        Args:
            ready: What.
            lane: Where.
            early: Whether this is before its turn.
            wait: Seconds to wait before.
        """
        step = ready.step
        job = Job(
            source=source_of(self.layout, step),
            target=self.target(step),
            folder=self.layout.folder,
            parameters={name: self.parameters[name] for name in step.parameters},
            timeout=self.options.timeout if step.timeout is None else step.timeout,
            package=self.layout.package,
        )
        self.running[step.name] = Running(ready, lane, self.options.now(), self._tick(), early)
        lane.run(Task(ready.context, job, wait))

    def hear(self) -> Over:
        """Returns the next step that is over, when one is.

        Raises:
            NbmlopsError: what kept a step from being executed.
            KeyboardInterrupt: the user stopped the run.
        """
        ended = self._ended()
        running = self.running.pop(ended.step)
        if ended.fault is not None:
            raise ended.fault
        assert ended.ending is not None
        assert ended.report is not None
        seconds = round((self.options.now() - running.begun).total_seconds(), 3)
        return Over(running, ended.ending, ended.report, self._tick(), seconds)

    def _ended(self) -> Ended:
        while True:
            try:
                return self._outbox.get(timeout=_HEED)
            except Empty:
                continue  # signals are heeded between two waits

    def close(self, lane: Lane, *, gently: bool = False) -> None:
        """Ends the process of a lane that is at no task.

        Args:
            lane: The lane.
            gently: As for `StepProcess.close`.
        """
        self._lanes.pop(lane)
        lane.close(gently=gently)

    def stop(self) -> None:
        """Ends everything that runs, and what processes are forked from."""
        lanes, self._lanes = list(self._lanes), {}
        for lane in lanes:
            lane.interrupt()
        for lane in lanes:
            lane.settle()
        self.warm.close()  # a lane may wait for it
        for lane in lanes:
            lane.wait()

    def _tick(self) -> int:
        self._count += 1
        return self._count
