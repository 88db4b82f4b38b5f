"""`--in-order`: what a task of an engine executes before its own step, so that its results are those of notebook order.

Engines know which step needs which values; they do not know that two steps draw from one random generator, or that one
reads a file that the other writes. So a task whose step may not pass an earlier one yet executes that one first, and
the earlier one's own task finds it done, or waits until it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from msgspec.structs import replace

from nbmlops.pipeline.codec import read_pipeline
from nbmlops.runtime.layout import layout_of, pipeline_file
from nbmlops.runtime.lock import locked
from nbmlops.runtime.parameters import effective_parameters
from nbmlops.runtime.reuse.cache import file_name
from nbmlops.runtime.reuse.caches import foreseen_cache
from nbmlops.runtime.reuse.facts import Facts, kernel_environment
from nbmlops.runtime.reuse.lookup import Lookup
from nbmlops.runtime.reuse.plan import select_only
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.schedule.notebook_order import before_each, known_outcomes
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.store.store import Store

TURNS = "turns"


def missing_before(folder: Path, options: RunOptions) -> tuple[str, ...]:
    """Returns the earlier steps that have to be executed before `options.only`, in notebook order.

    Those are the steps without results for these parameters that are not known to leave the later ones alone.

    Args:
        folder: The pipeline's folder.
        options: Those of the run.

    Raises:
        UsageError: a step is not known.
    """
    pipeline = read_pipeline(pipeline_file(folder))
    layout = layout_of(folder, pipeline)
    steps = select_only(pipeline, options.only, force=False).steps
    before = before_each(pipeline, steps, known_outcomes(pipeline, layout, steps, options))
    needed = set(options.only)
    for step in reversed(steps):
        needed |= set(before[step.name]) if step.name in needed else set()
    variables = options.environment()
    environment = kernel_environment(variables)
    parameters = effective_parameters(pipeline, options.parameters)
    facts = Facts(pipeline, layout, environment, parameters, {**variables, **environment})
    cache, store = foreseen_cache(layout, options), Store(layout.store)
    outcomes: list[StepOutcome] = []
    missing: list[str] = []
    left = replace(pipeline, steps=steps)
    while len(outcomes) < len(left.steps):
        step = left.steps[len(outcomes)]
        found, _ = Lookup(left, frozenset(), facts, cache, store).find(outcomes, is_done=True)
        outcomes += [record.outcome for record in found]
        if not found:  # the run of a single step goes on as if there were no such step, too
            missing.append(step.name)
            left = replace(left, steps=tuple(other for other in left.steps if other.name != step.name))
    return tuple(name for name in missing if name in needed and name not in options.only)


@contextmanager
def turn_of(folder: Path, step: str) -> Iterator[None]:
    """Keeps others from executing the step at the same time, for as long as it takes.

    Args:
        folder: The pipeline's folder.
        step: The step's name.

    Raises:
        EnvironmentFault: the lock file cannot be made.
    """
    state = layout_of(folder, read_pipeline(pipeline_file(folder))).state
    with locked(state / TURNS / file_name(step), datetime.now(UTC).isoformat(), inf, lambda _: None):
        yield
