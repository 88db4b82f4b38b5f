"""`[steps.NAME]`, `schedule` and `secrets` of the settings, as the `Demands` that compiling writes down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from msgspec.structs import fields

from nbmlops.app.config.document import ConfigDocument, PipelineTable, RunTable, StepTable
from nbmlops.app.config.faults import Fault
from nbmlops.app.config.toml_lines import KeyPath
from nbmlops.core.errors import ConfigError
from nbmlops.pipeline.demands import Demands, Resources, StepDemands, is_memory, pipeline_faults, step_faults
from nbmlops.pipeline.ir import Pipeline


def demands_of(shared: Mapping[str, StepTable], own: PipelineTable) -> Demands:
    """Returns what is asked for one pipeline: its own tables over those of the project, key by key."""
    names = {**shared, **own.steps}
    steps = {name: _demands(_merged(shared.get(name), own.steps.get(name))) for name in names}
    return Demands(steps, own.schedule or "", own.secrets, frozenset(own.steps))


def faults_of_demands(document: ConfigDocument) -> Iterator[Fault]:
    """Yields what is wrong with the values, each with its key."""
    yield from _faults_of_run(document.run, ())
    yield from _faults_of_steps(document.steps, ())
    for name, table in document.pipelines.items():
        place: KeyPath = ("pipelines", name)
        yield from _faults_of_run(table.run, place)
        yield from _faults_of_steps(table.steps, place)
        for key, message in pipeline_faults(table.schedule or "", table.secrets):
            yield Fault((*place, key), message)


def check_step_names(demands: Demands, pipeline: Pipeline, file: str) -> None:
    """Refuses settings of one pipeline for a step that it has not; those for all pipelines may be another's.

    Raises:
        ConfigError: there is such a table.
    """
    names = [step.name for step in pipeline.steps]
    for name in sorted(demands.own - set(names)):
        near = get_close_matches(name, names, n=1)
        raise ConfigError(
            f"{file}: pipelines.{pipeline.name}.steps.{name}: {name!r} is no step of this notebook",
            f"did you mean {near[0]!r}?" if near else f"its steps are: {', '.join(names)}",
        )


def _faults_of_run(table: RunTable, place: KeyPath) -> Iterator[Fault]:
    if table.jobs is not None and table.jobs < 1:
        yield Fault((*place, "run", "jobs"), f"must be 1 or more, but is {table.jobs}")
    if table.memory is not None and not is_memory(table.memory):
        yield Fault((*place, "run", "memory"), f'must be like "8GiB" or "500MB", but is {table.memory!r:.60}')


def _faults_of_steps(tables: Mapping[str, StepTable], place: KeyPath) -> Iterator[Fault]:
    for name, table in tables.items():
        for key, message in step_faults(_demands(table)):
            yield Fault((*place, "steps", name, key), message)


def _merged(shared: StepTable | None, own: StepTable | None) -> StepTable:
    if shared is None or own is None:
        return own or shared or StepTable()
    values = {one.name: getattr(own, one.name) for one in fields(StepTable)}
    return StepTable(**{name: getattr(shared, name) if value is None else value for name, value in values.items()})


def _demands(table: StepTable) -> StepDemands:
    return StepDemands(
        retries=table.retries or 0,
        backoff=table.backoff or 0.0,
        timeout=table.timeout,
        resources=Resources(table.cpu or 0.0, table.memory or "", table.gpu or 0),
    )
