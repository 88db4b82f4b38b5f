"""What must hold of a pipeline that was read from a file: names become paths, modules and code, and lead somewhere."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from nbmlops.pipeline.demands import StepDemands, pipeline_faults, step_faults
from nbmlops.pipeline.ir import Input, Pipeline, Step


def mistakes(pipeline: Pipeline) -> Iterator[str]:
    """Yields what is wrong with the pipeline, as texts that name the place; nothing if all is well."""
    yield from _not_identifiers("name", [pipeline.name])
    yield from _not_identifiers("parameters", [parameter.name for parameter in pipeline.parameters])
    yield from _twice("parameters", [parameter.name for parameter in pipeline.parameters])
    yield from _twice("steps", [step.name for step in pipeline.steps])
    yield from _twice("modules of steps", [step.module for step in pipeline.steps])
    for place in (pipeline.root, pipeline.notebook):
        if PurePosixPath(place).is_absolute():
            yield f"the path {place!r} must be relative to the pipeline's folder"
    declared, earlier = {parameter.name for parameter in pipeline.parameters}, set[str]()
    for step in pipeline.steps:
        yield from _mistakes_of_step(step, declared, earlier)
        earlier.add(step.name)
    yield from (f"{key} {fault}" for key, fault in pipeline_faults(pipeline.schedule, pipeline.secrets))
    stage = pipeline.register
    closing = [source.value for source in pipeline.metrics]
    closing += [value for value in (stage.model, stage.data) if value is not None] if stage else []
    yield from _unknown_makers("a closing stage", closing, earlier)


def _mistakes_of_step(step: Step, declared: set[str], earlier: set[str]) -> Iterator[str]:
    here = f"step {step.name!r}"
    inputs = [value.name for value in step.inputs]
    yield from _not_identifiers(here, [step.module, *step.modules, *inputs, *step.outputs])
    notebook = PurePosixPath(step.notebook)
    if notebook.is_absolute() or ".." in notebook.parts:
        yield f"{here}: the notebook {step.notebook!r} must be inside the pipeline's folder"
    demands = StepDemands(step.retries, step.backoff, step.timeout, step.resources)
    yield from (f"{here}: {key} {fault}" for key, fault in step_faults(demands))
    for name in step.parameters:
        if name not in declared:
            yield f"{here} reads the parameter {name!r}, which is not declared"
    for name in step.after:
        if name not in earlier:
            yield f"{here} comes after {name!r}, which is no earlier step"
    yield from _unknown_makers(here, step.inputs, earlier)


def _unknown_makers(here: str, values: Iterable[Input], earlier: set[str]) -> Iterator[str]:
    for value in values:
        if value.step not in earlier:
            yield f"{here} reads {value.name!r} from {value.step!r}, which is no earlier step"


def _not_identifiers(here: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name):
            yield f"{here}: {name!r:.60} is not a Python name"


def _twice(here: str, names: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{here}: {name!r:.60} stands twice"
