"""The way of one run through its steps in notebook order: what was taken into it, and what the cache has of the rest.

A run that finds everything there needs nothing else; what executes steps is loaded when the first one has to be.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from nbmlops.core.errors import UsageError
from nbmlops.pipeline.graph import ancestors
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.pipeline.run_record import StepRecord, StepStatus
from nbmlops.runtime.ambient.ambient import AmbientState
from nbmlops.runtime.handover.namespace import Folding, Namespace
from nbmlops.runtime.layout import Layout
from nbmlops.runtime.parameters import effective_parameters
from nbmlops.runtime.reuse.caches import open_cache
from nbmlops.runtime.reuse.facts import Facts, kernel_environment
from nbmlops.runtime.reuse.lookup import Lookup
from nbmlops.runtime.reuse.plan import select, select_only
from nbmlops.runtime.reuse.records import CacheRecord, StepOutcome
from nbmlops.runtime.schedule.accounts import Accounts
from nbmlops.runtime.schedule.events import Event, StepCached, StepSkipped
from nbmlops.runtime.schedule.results import RunOptions, StepsResult
from nbmlops.runtime.store.store import Store


class Course:
    """One run: what it works with, and the steps that were taken into it so far.

    Attributes:
        pipeline: The pipeline; without the steps that `--only` leaves out.
        layout: Where things are.
        options: How to run.
        tell: Told of everything that happens.
        name: The run's name.
        parameters: Value of every parameter.
        environment: The variables that decide results.
        variables: All variables of the steps' processes.
        selection: The steps to reach.
        facts: What steps depend on now.
        cache: Records of earlier executions.
        store: Where values are.
        lookup: Finds results that count.
        accounts: Writes the records of the run.
        done: The steps that were taken into the run, in order.
        failed: The step that failed, None if none did.
    """

    def __init__(
        self, pipeline: Pipeline, layout: Layout, options: RunOptions, tell: Callable[[Event], None], name: str
    ) -> None:
        self.pipeline, self.layout, self.options, self.tell, self.name = pipeline, layout, options, tell, name
        self.parameters = effective_parameters(pipeline, options.parameters)
        if options.only:
            self.selection = select_only(pipeline, options.only, force=options.force)
        else:
            self.selection = select(pipeline, options.first, options.last, force=options.force)
        variables = options.environment()
        self.environment = kernel_environment(variables)
        self.variables = {**variables, **self.environment}
        self.facts = Facts(pipeline, layout, self.environment, self.parameters, self.variables)
        self.cache, self.store = open_cache(layout, options, tell), Store(layout.store)
        self.lookup = self._look_up()
        self._positions, self._folding = _positions(pipeline), Folding()
        self.accounts = Accounts(name, pipeline, layout, options, self.parameters, self.facts.versions)
        self.done: list[tuple[StepRecord, CacheRecord]] = []
        self.failed: StepRecord | None = None

    def is_short(self) -> bool:
        """Returns whether there are steps left to reach."""
        return len(self.done) < len(self.selection.steps)

    def take_cached(self) -> str:
        """Returns why the next step has to be executed, after taking what the cache has; "" when none has to.

        Raises:
            UsageError: `--only` leaves out a step whose results are needed and not there.
        """
        while self.is_short():
            if reason := self.take_next():
                return reason
        return ""

    def take_next(self) -> str:
        """Returns why the next step has to be executed; "" if it, with those joined to it, was taken or left out.

        Raises:
            UsageError: `--only` leaves it out, its results are needed and not there.
        """
        found, reason = self.lookup.find(self.outcomes())
        if self.options.strict and any(record.outcome.warnings for record in found):
            found, reason = (), "something went wrong beside it last time"
        for record in found:
            self._reuse(self.next, record)
        if found:
            return ""
        if self._is_given(self.next.name):
            self._leave_out(self.next)
            return ""
        return reason

    @property
    def next(self) -> Step:
        """The step whose turn it is."""
        return self.pipeline.steps[len(self.done)]

    def outcomes(self) -> list[StepOutcome]:
        """Returns what the steps did that were taken into the run."""
        return [record.outcome for _, record in self.done]

    def ground(self) -> tuple[Namespace, AmbientState]:
        """Returns the namespace and the ambient state that the next step begins with."""
        return self._folding.after(self.outcomes())

    def position(self, step: Step) -> tuple[int, int]:
        """Returns the step's number, and how many there are."""
        return self._positions[step.name], len(self._positions)

    def closed(self, stopped_by: str) -> StepsResult:
        """Returns the result of the run; `stopped_by` is the signal that interrupted it, "" for none."""
        records = [record for record, _ in self.done] + ([self.failed] if self.failed else [])
        for step in self.pipeline.steps[len(records) :]:
            records.append(StepRecord(step.name, StepStatus.SKIPPED))
            self.tell(StepSkipped(step.name, *self.position(step)))
        return self.accounts.closed(records, [record for _, record in self.done], stopped_by)

    def _look_up(self) -> Lookup:
        given = frozenset(step.name for step in self.selection.steps if self._is_given(step.name))
        return Lookup(self.pipeline, self.selection.forced, self.facts, self.cache, self.store, given)

    def _is_given(self, step: str) -> bool:
        """Returns whether the step is another run's work: this one takes what it left, and executes others."""
        return bool(self.options.only) and step not in self.options.only

    def _leave_out(self, step: Step) -> None:
        """Goes on as if there were no such step: it has not run yet, and none of the steps to execute needs it.

        Raises:
            UsageError: one of them needs it.
        """
        for name in self.options.only:
            if step.name in ancestors(self.pipeline, name):
                raise UsageError(
                    f"step {name!r} needs {step.name!r}, whose results for these parameters are not in the store",
                    f"run it first: nbmlops run {self.layout.folder.name} --only {step.name}",
                )
        self.pipeline = replace(self.pipeline, steps=_without(self.pipeline.steps, step))
        self.selection = replace(self.selection, steps=_without(self.selection.steps, step))
        self._positions = _positions(self.pipeline)
        self.lookup = self._look_up()

    def _reuse(self, step: Step, record: CacheRecord) -> None:
        self.cache.set_latest(record)
        cached = self.accounts.reused(record)
        self.done.append((cached, record))
        self.tell(StepCached(cached, *self.position(step)))


def _without(steps: tuple[Step, ...], step: Step) -> tuple[Step, ...]:
    return tuple(other for other in steps if other.name != step.name)


def _positions(pipeline: Pipeline) -> dict[str, int]:
    return {step.name: number for number, step in enumerate(pipeline.steps, 1)}
