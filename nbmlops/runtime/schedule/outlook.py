"""How the steps ahead stand, by their earlier records: which may start early, and which will not have to run at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.pipeline.graph import predecessors
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.facts import Facts
from nbmlops.runtime.reuse.lookup import Lookup
from nbmlops.runtime.reuse.records import CacheRecord, StepOutcome
from nbmlops.runtime.schedule.schedule import Standing, State, is_clear

_MORE = 4  # so many ready steps for each that may run: of these the most urgent ones are chosen


class Early(Struct, frozen=True):
    """Why a step that may start before its turn has to run, and what the steps before it did or are expected to do."""

    reason: str
    before: Sequence[StepOutcome]


class Progress(Struct, frozen=True):
    """How far a run is.

    Attributes:
        done: What the steps did that have been taken into the run, in notebook order.
        running: Names of those that run.
        ended: What those did that have ended before their turn.
        held: Names of those that must not start before their turn, whatever their records say.
        is_ready: Whether the next step has to run and may start.
    """

    done: Sequence[StepOutcome]
    running: Collection[str]
    ended: Mapping[str, StepOutcome]
    held: Collection[str]
    is_ready: bool


class Outlook:
    """Looks ahead in one run.

    Args:
        pipeline: The pipeline.
        steps: Those of the run.
        facts: What steps depend on now.
        cache: The records.
        lookup: Finds results that can be reused.
    """

    def __init__(
        self, pipeline: Pipeline, steps: Sequence[Step], facts: Facts, cache: StepCache, lookup: Lookup
    ) -> None:
        self._pipeline, self._steps, self._facts, self._cache, self._lookup = pipeline, steps, facts, cache, lookup
        self._newest: dict[str, CacheRecord | None] = {}
        self._records: dict[str, CacheRecord | None] = {}
        self._found: dict[str, tuple[tuple[CacheRecord, ...], str]] = {}

    def expected(self, step: Step) -> CacheRecord | None:
        """Returns the latest record of the step if that tells what the step will do: of the same code and libraries."""
        if step.name not in self._records:
            record = self._latest(step)
            self._records[step.name] = record if record and self._holds(step, record) else None
        return self._records[step.name]

    def _latest(self, step: Step) -> CacheRecord | None:
        if step.name not in self._newest:
            self._newest[step.name] = self._cache.latest(step.name)
        return self._newest[step.name]

    def _peak(self, step: Step) -> int:
        """Returns the bytes that the step took last time, also with other code: nothing tells better; 0 for unknown."""
        record = self._latest(step)
        return record.outcome.peak if record else 0

    def last_seconds(self, step: Step) -> float | None:
        """Returns how long the step took last time, also with other code; None when it never came to its end."""
        record = self._latest(step)
        return record.seconds if record else None

    def forget(self) -> None:
        """Makes it look again whether steps have to run: one of them did not leave what was expected."""
        self._found.clear()

    def settle(self, step: Step, outcome: StepOutcome) -> None:
        """Hears what a step did whose turn it was."""
        expected = self._records.get(step.name)
        if expected is None or _left(expected.outcome) != _left(outcome):
            self.forget()

    def standings(self, progress: Progress, jobs: int) -> tuple[list[Standing], dict[str, Early]]:
        """Returns how the steps stand that come next, and what there is to know of those that may start early.

        Args:
            progress: How far the run is.
            jobs: How many steps may run at once.
        """
        before, found = list(progress.done), list[Standing]()
        early: dict[str, Early] = {}
        unsettled: list[Standing] = []
        waited_for: set[str] = set()
        while len(before) < len(self._steps) and len(early) < _MORE * jobs:
            step = self._steps[len(before)]
            if waited_for.isdisjoint(predecessors(step)):
                now = self._stand(step, before, unsettled, progress)
            else:
                now = [self._known(step, progress)]
            found += now
            unsettled += [standing for standing in now if standing.state is not State.SETTLED]
            waited_for |= {standing.step.name for standing in now if standing.state is not State.SETTLED}
            if any(standing.outcome is None for standing in now):
                break  # nobody knows what it will do: no later step starts before it has ended
            if now[0].state is State.READY and unsettled[0] is not now[0]:
                early[step.name] = Early(self._found[step.name][1], list(before))
            before += [standing.outcome for standing in now if standing.outcome is not None]
        return found, early

    def _stand(
        self, step: Step, before: list[StepOutcome], unsettled: list[Standing], progress: Progress
    ) -> list[Standing]:
        known = self._known(step, progress)
        if known.state is not State.WAITING:
            return [known]
        if len(before) == len(progress.done):
            return [replace(known, state=State.READY)] if progress.is_ready else [known]
        record = self.expected(step)
        if (
            record is None
            or step.name in progress.held
            or not is_clear(self._pipeline, step, record.outcome, unsettled)
        ):
            return [known]
        reused = self._reused(step, before)
        if reused:
            return [Standing(self._pipeline.step(one.step), State.SETTLED, one.outcome) for one in reused]
        # A unit runs from its first step on, in its turn.
        return [known] if record.unit else [replace(known, state=State.READY)]

    def _known(self, step: Step, progress: Progress) -> Standing:
        """Returns how a step stands that has begun; of others that they wait, ready or not."""
        if step.name in progress.ended:
            return Standing(step, State.SETTLED, progress.ended[step.name])
        record = self.expected(step)
        state = State.RUNNING if step.name in progress.running else State.WAITING
        return Standing(step, state, record.outcome if record else None, self._peak(step))

    def _reused(self, step: Step, before: list[StepOutcome]) -> tuple[CacheRecord, ...]:
        if step.name not in self._found:
            self._found[step.name] = self._lookup.find(before)
        return self._found[step.name][0]

    def _holds(self, step: Step, record: CacheRecord) -> bool:
        now = self._facts.parts(step, {})
        versions = {name: self._facts.versions.get(name, "") for name in record.libraries}
        own = (record.parts.code, record.parts.edited, record.parts.environment, record.libraries)
        return own == (now.code, now.edited, now.environment, versions)


def _left(outcome: StepOutcome) -> tuple[object, ...]:
    """Returns what later steps begin with."""
    random = outcome.random if outcome.random_used else None
    return outcome.values, outcome.live, outcome.settings, outcome.random_used, random
