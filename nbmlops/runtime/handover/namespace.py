"""The namespace of a run: what the records of steps, in notebook order, add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import is_

from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.ambient.ambient import AmbientState, Setting
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import StoredValue

Namespace = dict[str, StoredValue]


def fold(outcomes: Iterable[StepOutcome]) -> tuple[Namespace, AmbientState]:
    """Returns the namespace and the ambient state after steps with these outcomes, given in notebook order."""
    return Folding().after(list(outcomes))


class Folding:
    """Adds outcomes up as a run goes on: what it has added up before, it does not add up again."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._outcomes: list[StepOutcome] = []
        self._values: Namespace = {}
        self._random: ObjectRef | None = None
        self._settings: dict[str, Setting] = {}

    def after(self, outcomes: Sequence[StepOutcome]) -> tuple[Namespace, AmbientState]:
        """Returns the namespace and the ambient state after steps with these outcomes, given in notebook order."""
        if len(outcomes) < len(self._outcomes) or not all(map(is_, self._outcomes, outcomes)):
            self._forget()
        for outcome in outcomes[len(self._outcomes) :]:
            self._add(outcome)
        return dict(self._values), AmbientState(self._random, dict(self._settings))

    def _add(self, outcome: StepOutcome) -> None:
        self._outcomes.append(outcome)
        self._values |= {value.name: value for value in outcome.values}
        for live in outcome.live:  # what an earlier step stored under the name is no longer its value
            self._values.pop(live.name, None)
        if outcome.random_used:  # else the state passed it by, whatever it was
            self._random = outcome.random
        self._settings |= outcome.settings


def names_read(step: Step, values: Namespace) -> list[str]:
    """Returns the names with values that the step may read: its inputs, or all if nobody can know which."""
    return list(values) if step.whole else [value.name for value in step.inputs if value.name in values]


def namespace_before(pipeline: Pipeline, step: str, cache: StepCache) -> tuple[Namespace, AmbientState]:
    """Returns the namespace and ambient state that a step begins with, from the latest records of the steps before it.

    Steps that have not run yet add nothing.
    """
    names = [other.name for other in pipeline.steps]
    records = [cache.latest(name) for name in names[: names.index(step)]]
    return fold(record.outcome for record in records if record is not None)
