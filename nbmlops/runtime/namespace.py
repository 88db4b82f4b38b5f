"""The namespace of a run: what the records of steps, in notebook order, add up to."""

from __future__ import annotations

from collections.abc import Iterable

from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.ambient import AmbientState, Setting
from nbmlops.runtime.cache import StepCache
from nbmlops.runtime.records import StepOutcome
from nbmlops.runtime.store import ObjectRef
from nbmlops.runtime.stored import StoredValue

Namespace = dict[str, StoredValue]


def fold(outcomes: Iterable[StepOutcome]) -> tuple[Namespace, AmbientState]:
    """Returns the namespace and the ambient state after steps with these outcomes, given in notebook order."""
    values: Namespace = {}
    random: ObjectRef | None = None
    settings: dict[str, Setting] = {}
    for outcome in outcomes:
        values |= {value.name: value for value in outcome.values}
        for live in outcome.live:  # what an earlier step stored under the name is no longer its value
            values.pop(live.name, None)
        if outcome.random_used:  # else the state passed it by, whatever it was
            random = outcome.random
        settings |= outcome.settings
    return values, AmbientState(random, settings)


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
