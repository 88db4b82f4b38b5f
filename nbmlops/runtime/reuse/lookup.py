"""Finds results that can be reused: that of a step, or those of all the steps that ran in one process with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.ambient.ambient import AmbientState
from nbmlops.runtime.handover.namespace import Folding
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.facts import Facts
from nbmlops.runtime.reuse.plan import UNCHANGED, ground_changes, step_key, why
from nbmlops.runtime.reuse.records import CacheRecord, KeyParts, StepOutcome
from nbmlops.runtime.schedule.units import joined_from
from nbmlops.runtime.store.store import Store


class Lookup:
    """Looks for records of the steps of one run.

    Args:
        pipeline: The pipeline.
        forced: Names of steps that are executed even if they are cached.
        facts: What steps depend on now.
        cache: The records.
        store: Where their values should be.
        given: Names of steps that are not executed in this run. Of them, results also count that are never reused
            otherwise, or that began with another ambient state: the run that closes the pipeline makes them again.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        forced: frozenset[str],
        facts: Facts,
        cache: StepCache,
        store: Store,
        given: frozenset[str] = frozenset(),
    ) -> None:
        self._pipeline, self._forced, self._facts, self._cache, self._store = pipeline, forced, facts, cache, store
        self._given = given
        self._folding = Folding()

    def find(self, before: Sequence[StepOutcome], *, is_done: bool = False) -> tuple[tuple[CacheRecord, ...], str]:
        """Returns the records of the next step and of those it is joined with, and why there are none or why not.

        Args:
            before: What the steps before it did.
            is_done: Results also count that are never reused otherwise: it is asked whether there are any.
        """
        step = self._pipeline.steps[len(before)]
        if step.name in self._forced:
            return (), "forced"
        found, reason = self._find(step, before, _exact)
        if not found and step.name in self._given:
            return self._find(step, before, _loosened)
        return self._find(step, before, _repeatable) if not found and is_done else (found, reason)

    def _find(
        self, step: Step, before: Sequence[StepOutcome], taken_for: Callable[[CacheRecord], CacheRecord]
    ) -> tuple[tuple[CacheRecord, ...], str]:
        values, ambient = self._folding.after(before)
        parts = self._facts.parts(step, values)
        nearest: tuple[str, ...] | None = None
        for record in self._cache.candidates(step_key(step.name, parts)):
            if record.unit not in {"", step.name}:
                continue  # its process had run other steps before
            changes = self._changes(taken_for(record), ambient)
            if not changes:
                unit, obstacle = self._unit(record, before)
                if unit:
                    return unit, UNCHANGED
                changes = (obstacle,)
            nearest = changes if nearest is None else min(nearest, changes, key=len)
        return (), self._why(step, parts, ambient, nearest)

    def _unit(self, head: CacheRecord, before: Sequence[StepOutcome]) -> tuple[tuple[CacheRecord, ...], str]:
        """Returns the records of the steps that ran in the process of the first one, or why they cannot be reused."""
        records = [head]
        while True:
            outcomes = [*before, *(record.outcome for record in records)]
            if len(records) >= len(joined_from(self._pipeline, outcomes, len(before)).steps):
                return tuple(records), ""
            step = self._pipeline.steps[len(outcomes)]
            values, ambient = self._folding.after(outcomes)
            parts = self._facts.parts(step, values)
            found = [] if step.name in self._forced else self._cache.candidates(step_key(step.name, parts))
            fitting = [record for record in found if (record.unit, record.run) == (head.step, head.run)]
            changes = [self._changes(record, ambient) for record in fitting]
            if () not in changes:
                reason = "forced" if step.name in self._forced else self._why(step, parts, ambient, *changes[:1])
                return (), f"joined with {step.name}: {reason}"
            records.append(fitting[changes.index(())])

    def _changes(self, record: CacheRecord, ambient: AmbientState) -> tuple[str, ...]:
        grounds = self._facts.grounds(record, ambient, self._store)
        here = replace(grounds, missing_values=())
        if grounds.missing_values and not ground_changes(record, here) and self._cache.bring(record):
            return ()
        return ground_changes(record, grounds)

    def _why(self, step: Step, parts: KeyParts, ambient: AmbientState, nearest: tuple[str, ...] | None = None) -> str:
        latest = self._cache.latest(step.name)
        if nearest is None and latest is not None:
            nearest = self._changes(latest, ambient)
        return why(parts, latest, nearest or ())


def _exact(record: CacheRecord) -> CacheRecord:
    """Returns the record as it is."""
    return record


def _repeatable(record: CacheRecord) -> CacheRecord:
    """Returns the record as if its results could be reused."""
    return replace(record, outcome=replace(record.outcome, unkeyable=""))


def _loosened(record: CacheRecord) -> CacheRecord:
    """Returns the record without what keeps it from being reused although its code, inputs and files are the same."""
    return replace(record, outcome=replace(record.outcome, unkeyable="", random_used=False, settings_before={}))
