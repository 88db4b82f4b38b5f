"""ZenML: a pipeline file for whatever stack is active."""

from __future__ import annotations

import math

from nbmlops.compiler.names import fresh
from nbmlops.compiler.targets.deployment import Deployment, Target, TargetFile, Task
from nbmlops.compiler.targets.resources import mebibytes
from nbmlops.compiler.targets.shown import add_calls, shown_arguments
from nbmlops.compiler.templates import render
from nbmlops.pipeline.demands import Resources

FILE = "zenml_pipeline.py"
# What the pipeline's function calls its own; ZenML reads settings from arguments called so.
_TAKEN = frozenset({
    "Any", "Client", "DEFAULTS", "PIPELINE", "PROJECT", "Path", "ResourceSettings", "Schedule", "StepRetryConfig",
    "given", "json", "nbmlops_run", "os", "pipeline", "run_all", "run_task", "schedule", "secret", "step", "subprocess",
    "sys",
})  # fmt: skip


def emit(pipeline: Deployment) -> tuple[TargetFile, ...]:
    """Returns the pipeline's file."""
    arguments = shown_arguments(pipeline.arguments, _TAKEN)
    text = render(
        "targets/zenml.py.j2",
        name=pipeline.name,
        function=fresh(pipeline.name, _TAKEN | {argument.alias for argument in arguments}),
        file=FILE,
        root=pipeline.pipeline.root,
        folder=pipeline.folder,
        arguments=arguments,
        calls=add_calls(pipeline.all_tasks, _settings),
        resources=any(task.demands.resources != Resources() for task in pipeline.tasks),
        retries=any(task.demands.retries for task in pipeline.tasks),
        schedule=pipeline.pipeline.schedule,
        secrets=pipeline.pipeline.secrets,
    )
    return (TargetFile(pipeline.beside(FILE), text, "the pipeline for ZenML"),)


def _settings(task: Task) -> list[str]:
    """Returns the further arguments of a task, as Python."""
    demands, wanted = task.demands, task.demands.resources
    settings = []
    if demands.retries:
        pause = math.ceil(demands.backoff)
        settings += [f"retry=StepRetryConfig(max_retries={demands.retries}, delay={pause}, backoff=2)"]
    if wanted != Resources():
        said = [f"cpu_count={wanted.cpu!r}"] if wanted.cpu else []
        said += [f"gpu_count={wanted.gpu}"] if wanted.gpu else []
        said += [f'memory="{mebibytes(wanted)}MiB"'] if wanted.memory else []
        settings += [f'settings={{"resources": ResourceSettings({", ".join(said)})}}']
    return settings


TARGET = Target(emit)
