"""Kubeflow Pipelines v2: a Python file that writes the pipeline's YAML with KFP's own compiler.

KFP replaces `{{$…}}` in everything that passes through it, the source of tasks included, and turns the numbers of lists
into floats: lists and dicts travel as text.
"""

from __future__ import annotations

import math

from nbmlops.compiler.names import fresh
from nbmlops.compiler.targets.deployment import Deployment, Target, TargetFile, Task
from nbmlops.compiler.targets.quoting import python
from nbmlops.compiler.targets.resources import kubernetes
from nbmlops.compiler.targets.shown import add_calls, shown_arguments
from nbmlops.compiler.templates import render
from nbmlops.core.diagnostics import Json

FILE = "kfp_pipeline.py"
PASSED_ON = ("MLFLOW_TRACKING_URI", "NBMLOPS_STORE")
# What the functions of the template call their own.
_TAKEN = frozenset({
    "IMAGE", "PASSED_ON", "Path", "add", "after", "arguments", "backoff", "command", "compiler", "default", "dsl",
    "isinstance", "json", "kubernetes", "name", "nbmlops_options", "nbmlops_run", "options", "os", "other",
    "resources", "retries", "str", "subprocess", "task", "tasks", "text", "value", "variable",
})  # fmt: skip


def emit(pipeline: Deployment) -> tuple[TargetFile, ...]:
    """Returns the Python file."""
    arguments = shown_arguments(pipeline.arguments, _TAKEN)
    text = render(
        "targets/kfp.py.j2",
        name=pipeline.name,
        function=fresh(pipeline.name, _TAKEN | {argument.alias for argument in arguments}),
        file=FILE,
        folder=pipeline.folder,
        passed_on=PASSED_ON,
        arguments=arguments,
        calls=add_calls(pipeline.all_tasks, _settings),
        schedule=pipeline.pipeline.schedule,
        secrets=[(name, name.lower().replace("_", "-")) for name in pipeline.pipeline.secrets],
    )
    return (TargetFile(pipeline.beside(FILE), text, "the pipeline for Kubeflow Pipelines v2: run it to get the YAML"),)


def _settings(task: Task) -> list[str]:
    """Returns the further arguments of a task, as Python."""
    settings: dict[str, Json] = {}
    if task.demands.retries:
        settings["retries"] = task.demands.retries
        settings["backoff"] = f"{max(1, math.ceil(task.demands.backoff))}s"
    if wanted := kubernetes(task.demands.resources):
        settings["resources"] = wanted
    return [f"{name}={python(value)}" for name, value in settings.items()]


TARGET = Target(emit, image_packages=("kfp>=2.14,<3",))
