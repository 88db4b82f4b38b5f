"""Which steps must have ended before a step begins elsewhere, for its results to be those of notebook order.

The rule is that of steps that run before their turn on this machine (`schedule`): what both did last time must not
reach the other. A step of which nobody knows what it does keeps its place, and none passes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.layout import Layout
from nbmlops.runtime.parameters import effective_parameters
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.facts import Facts, kernel_environment
from nbmlops.runtime.reuse.lookup import Lookup
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.schedule.outlook import Outlook
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.schedule.schedule import Standing, State, is_clear
from nbmlops.runtime.store.store import Store


def known_outcomes(
    pipeline: Pipeline, layout: Layout, steps: Sequence[Step], options: RunOptions
) -> dict[str, StepOutcome]:
    """Returns what steps did last time, of those whose code, environment and libraries are the same now.

    Args:
        pipeline: The pipeline.
        layout: Where things are.
        steps: Those to look at.
        options: Those of the run.
    """
    variables = options.environment()
    environment = kernel_environment(variables)
    parameters = effective_parameters(pipeline, options.parameters)
    facts = Facts(pipeline, layout, environment, parameters, {**variables, **environment})
    cache = StepCache(layout.cache, layout.state)
    outlook = Outlook(pipeline, steps, facts, cache, Lookup(pipeline, frozenset(), facts, cache, Store(layout.store)))
    found = {step.name: outlook.expected(step) for step in steps}
    return {name: record.outcome for name, record in found.items() if record is not None}


def before_each(
    pipeline: Pipeline, steps: Sequence[Step], known: Mapping[str, StepOutcome]
) -> dict[str, tuple[str, ...]]:
    """Returns for each step those that must have ended before it, without those that they need themselves.

    Args:
        pipeline: The pipeline.
        steps: Those of the run, in notebook order.
        known: What they did last time, as far as it is known.
    """
    all_before: dict[str, set[str]] = {}
    found: dict[str, tuple[str, ...]] = {}
    for number, step in enumerate(steps):
        outcome, covered, direct = known.get(step.name), set[str](), list[str]()
        for other in reversed(steps[:number]):
            if other.name not in covered and not _is_clear(pipeline, step, outcome, other, known.get(other.name)):
                direct.append(other.name)
                covered |= {other.name, *all_before[other.name]}
        all_before[step.name] = covered
        found[step.name] = tuple(reversed(direct))
    return found


def _is_clear(
    pipeline: Pipeline, step: Step, outcome: StepOutcome | None, other: Step, others: StepOutcome | None
) -> bool:
    return outcome is not None and is_clear(pipeline, step, outcome, [Standing(other, State.RUNNING, others)])
