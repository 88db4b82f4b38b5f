"""Which steps may start now. Pure: the graph, what each step did last time, what has ended and what runs come in.

A step may start before earlier ones have ended when nothing that they did last time reaches it, and nothing that it
did reaches them. A step whose last doing is not known keeps its place: it starts when all before it have ended, and
none after it starts before it has ended.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from nbmlops.pipeline.demands import memory_bytes
from nbmlops.pipeline.graph import predecessors
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.schedule.conflicts import FORESEEN, changes, clashes, feeds, read_of
from nbmlops.runtime.schedule.units import last_reader


class State(StrEnum):
    """Where a step stands: what it leaves is known; it runs; it has to run and nothing is in its way; none of these."""

    SETTLED = "settled"
    RUNNING = "running"
    READY = "ready"
    WAITING = "waiting"


class Standing(Struct, frozen=True):
    """A step of a run that goes on.

    Attributes:
        step: The step.
        state: Where it stands.
        outcome: What it did; unless it is settled, what it did last time, None where that is not known.
        peak: Bytes of memory that it took last time at most, 0 where that is not known.
    """

    step: Step
    state: State
    outcome: StepOutcome | None
    peak: int = 0


class Limits(Struct, frozen=True):
    """How many steps may run at once, and in how many bytes of memory together; 0 bytes for any."""

    jobs: int = 1
    memory: int = 0


def is_clear(pipeline: Pipeline, step: Step, expected: StepOutcome, unsettled: Sequence[Standing]) -> bool:
    """Returns whether the step may run before the end of earlier ones.

    Args:
        pipeline: The pipeline.
        step: The step.
        expected: What it did last time.
        unsettled: The steps before it that have not ended.
    """
    if not unsettled:
        return True
    # Such a step may not run twice, or could not go on in the process of another.
    if step.whole or expected.live or expected.unkeyable or expected.altered:
        return False
    needed = predecessors(step)
    if any(other.step.name in needed for other in unsettled):
        return False
    return all(_leaves_alone(pipeline, other, step, expected) for other in unsettled)


def _leaves_alone(pipeline: Pipeline, other: Standing, step: Step, expected: StepOutcome) -> bool:
    """Returns whether neither of an earlier step and this one does anything that reaches the other."""
    before = other.outcome
    if before is None or before.unkeyable:
        return False
    names = {value.name for value in before.values} | {value.name for value in before.live}
    if not names.isdisjoint(value.name for value in step.inputs):
        return False
    if before.live:
        place = pipeline.steps.index(step)
        if last_reader(pipeline, other.step.name, [value.name for value in before.live]) >= place:
            return False
    return not (feeds(before, expected, FORESEEN) or clashes(before, expected) or read_of(before, changes(expected)))


def startable(standings: Sequence[Standing], limits: Limits, urgency: Mapping[str, float]) -> tuple[str, ...]:
    """Returns the names of the steps that may start now, the most urgent one first.

    Args:
        standings: All steps that have not been taken into the run yet, in notebook order.
        limits: What may be used at once; one step at a time may always run.
        urgency: As `urgencies` gives it.
    """
    running = [standing for standing in standings if standing.state is State.RUNNING]
    ready = [standing for standing in standings if standing.state is State.READY]
    chosen: list[str] = []
    for standing in sorted(ready, key=lambda found: -urgency.get(found.step.name, 0.0)):
        if not running or _fits(standing, running, limits):
            running.append(standing)
            chosen.append(standing.step.name)
    return tuple(chosen)


def _fits(standing: Standing, running: Sequence[Standing], limits: Limits) -> bool:
    together = [*running, standing]
    if sum(_cores(found.step, limits.jobs) for found in together) > limits.jobs:
        return False
    if sum(1 for found in together if found.step.resources.gpu) > 1 and standing.step.resources.gpu:
        return False
    wanted = [expected_memory(found) for found in together]
    # What a step takes of which nothing is known may be all there is: it runs alone, once.
    return not limits.memory or (all(wanted) and sum(wanted) <= limits.memory)


def _cores(step: Step, jobs: int) -> int:
    return min(jobs, max(1, math.ceil(step.resources.cpu)))


def expected_memory(standing: Standing) -> int:
    """Returns the bytes that the step is expected to take: the more of what it took and what it is declared to want.

    0 if neither is known.
    """
    declared = standing.step.resources.memory
    return max(standing.peak, memory_bytes(declared) if declared else 0)


def urgencies(pipeline: Pipeline, seconds: Mapping[str, float]) -> dict[str, float]:
    """Returns for each step how long it takes from its start to the end of the last step that needs it.

    Args:
        pipeline: The pipeline.
        seconds: What steps took last time; others count as none.
    """
    found: dict[str, float] = {step.name: seconds.get(step.name, 0.0) for step in pipeline.steps}
    for step in reversed(pipeline.steps):  # every step that needs it has been seen
        for name in predecessors(step):
            found[name] = max(found[name], seconds.get(name, 0.0) + found[step.name])
    return found
