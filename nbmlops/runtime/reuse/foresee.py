"""Says, before a run, which steps it would execute and why. Reads records, code and files; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.graph import ancestors
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.layout import layout_of, pipeline_file
from nbmlops.runtime.parameters import effective_parameters
from nbmlops.runtime.reuse.caches import foreseen_cache
from nbmlops.runtime.reuse.facts import Facts, kernel_environment
from nbmlops.runtime.reuse.lookup import Lookup
from nbmlops.runtime.reuse.plan import UNCHANGED, select
from nbmlops.runtime.reuse.records import CacheRecord, StepOutcome
from nbmlops.runtime.schedule.conflicts import feeds
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.schedule.units import joined_from
from nbmlops.runtime.store.store import Store


class Prospect(StrEnum):
    """What a run would do with a step."""

    EXECUTE = "execute"
    REUSE = "reuse"
    DEPENDS = "depends"


class Foreseen(Struct, frozen=True):
    """What a run would do with one step.

    Attributes:
        step: Its name.
        prospect: DEPENDS: it is reused if the steps in `on` give again what they gave last time.
        reason: Why, as the run itself would say it.
        on: Steps that would be executed and may change what this one begins with, in notebook order.
    """

    step: str
    prospect: Prospect
    reason: str
    on: tuple[str, ...] = ()


def foresee(folder: Path, options: RunOptions) -> tuple[Foreseen, ...]:
    """Returns what a run would do with each step that it is about, in notebook order.

    What a step would leave that is executed is not known before: it is taken to be what it left last time.

    Args:
        folder: A folder with a `pipeline.yaml`.
        options: Those of the run; parameters, `force`, `first`, `last` and the environment count.

    Raises:
        UsageError: the pipeline cannot be read, or a parameter or a step is not known.
    """
    pipeline = read_pipeline(pipeline_file(folder))
    layout = layout_of(folder, pipeline)
    selection = select(pipeline, options.first, options.last, force=options.force)
    variables = options.environment()
    environment = kernel_environment(variables)
    parameters = effective_parameters(pipeline, options.parameters)
    facts = Facts(pipeline, layout, environment, parameters, {**variables, **environment})
    cache = foreseen_cache(layout, options)
    lookup = Lookup(pipeline, selection.forced, facts, cache, Store(layout.store))
    latest = {step.name: cache.latest(step.name) for step in selection.steps}
    return _foreseen(pipeline, selection.steps, lookup, latest)


def _foreseen(
    pipeline: Pipeline, steps: Sequence[Step], lookup: Lookup, latest: Mapping[str, CacheRecord | None]
) -> tuple[Foreseen, ...]:
    outcomes: list[StepOutcome] = []
    executed: dict[str, StepOutcome | None] = {}  # what each left last time
    found: list[Foreseen] = []
    joined: tuple[str, ...] = ()  # the steps that would go on in the process of the one that is executed
    first = 0
    while len(outcomes) < len(steps):
        step = steps[len(outcomes)]
        inside = step.name in joined
        records, reason = ((), f"joined with {joined[0]}") if inside else lookup.find(outcomes)
        for record in records:
            on = _feeding(pipeline, record, executed)
            found.append(Foreseen(record.step, Prospect.DEPENDS if on else Prospect.REUSE, UNCHANGED, on))
            outcomes.append(record.outcome)
        if records:
            continue
        found.append(Foreseen(step.name, Prospect.EXECUTE, reason))
        before = latest[step.name]
        first = first if inside else len(outcomes)
        outcomes.append(before.outcome if before else StepOutcome())
        executed[step.name] = before.outcome if before else None
        joined = joined_from(pipeline, outcomes, first).steps
    return tuple(found[: len(steps)])


def _feeding(pipeline: Pipeline, record: CacheRecord, executed: Mapping[str, StepOutcome | None]) -> tuple[str, ...]:
    """Returns those of the executed steps whose outcome the record's step may depend on."""
    before = ancestors(pipeline, record.step)
    is_whole = pipeline.step(record.step).whole
    return tuple(
        name
        for name, other in executed.items()
        if is_whole or name in before or other is None or feeds(other, record.outcome)
    )
