"""Which steps run in one process, because a value that one of them leaves cannot be stored. No effects here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.pipeline.run_record import JoinedSteps, LiveValue
from nbmlops.runtime.reuse.records import StepOutcome


def last_reader(pipeline: Pipeline, step: str, names: Iterable[str]) -> int:
    """Returns the position of the last step that reads one of the values that the step leaves, its own if none does."""
    own = [other.name for other in pipeline.steps].index(step)
    return max((_last_reader(pipeline.steps, own, name) for name in names), default=own)


def _last_reader(steps: Sequence[Step], own: int, name: str) -> int:
    if not name.isidentifier():  # something that lives without a name, such as a folder that goes with its process
        return len(steps) - 1
    last = own
    for position in range(own + 1, len(steps)):
        if steps[position].whole or any(value.name == name for value in steps[position].inputs):
            last = position
        elif name in steps[position].outputs:
            break  # bound anew, without a look at what it was
    return last


def read_at_the_end(pipeline: Pipeline, step: str) -> frozenset[str]:
    """Returns the names whose value, as the step leaves it, the closing stages read from the store."""
    names = {metric.value.name for metric in pipeline.metrics}
    if pipeline.register is not None:
        names |= {pipeline.register.model.name} | ({pipeline.register.data.name} if pipeline.register.data else set())
    own = [other.name for other in pipeline.steps].index(step)
    return frozenset(names.difference(*(later.outputs for later in pipeline.steps[own + 1 :])))


def joined_from(pipeline: Pipeline, outcomes: Sequence[StepOutcome], position: int) -> JoinedSteps:
    """Returns the steps that run in one process from a position on, and the values that force it.

    Args:
        pipeline: The pipeline.
        outcomes: Those of the steps before, of the first of the steps, and of as many of the others as are known.
        position: That of the first of the steps.
    """
    end, at = position, position
    values: list[LiveValue] = []
    while at <= end and at < len(outcomes):
        reaches = {value: last_reader(pipeline, pipeline.steps[at].name, [value.name]) for value in outcomes[at].live}
        values += [value for value, reach in reaches.items() if reach > at]
        end = max((end, *reaches.values()))
        at += 1
    return JoinedSteps(tuple(step.name for step in pipeline.steps[position : end + 1]), tuple(dict.fromkeys(values)))


def joined_steps(pipeline: Pipeline, outcomes: Sequence[StepOutcome]) -> tuple[JoinedSteps, ...]:
    """Returns which of the steps with these outcomes, given in notebook order, ran in one process."""
    found: list[JoinedSteps] = []
    position = 0
    while position < len(outcomes):
        joined = joined_from(pipeline, outcomes, position)
        if len(joined.steps) > 1:
            found.append(joined)
        position += len(joined.steps)
    return tuple(found)
