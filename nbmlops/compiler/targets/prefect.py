"""Prefect 3: a flow file, whose tasks are run by threads of the flow; each starts a process."""

from __future__ import annotations

from nbmlops.compiler.names import fresh
from nbmlops.compiler.targets.deployment import Deployment, Target, TargetFile, Task
from nbmlops.compiler.targets.quoting import python
from nbmlops.compiler.targets.resources import kubernetes
from nbmlops.compiler.targets.shown import add_calls, shown_arguments
from nbmlops.compiler.templates import render
from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.demands import delay

FILE = "prefect_flow.py"
# What the flow's function calls its own.
_TAKEN = frozenset({
    "DEFAULTS", "PIPELINE", "PROJECT", "Path", "Secret", "flow", "given", "json", "nbmlops_run", "os", "run_all",
    "secret", "subprocess", "sys", "task",
})  # fmt: skip


def emit(pipeline: Deployment) -> tuple[TargetFile, ...]:
    """Returns the flow's file."""
    arguments = shown_arguments(pipeline.arguments, _TAKEN)
    text = render(
        "targets/prefect.py.j2",
        name=pipeline.name,
        function=fresh(pipeline.name, _TAKEN | {argument.alias for argument in arguments}),
        file=FILE,
        root=pipeline.pipeline.root,
        folder=pipeline.folder,
        arguments=arguments,
        calls=add_calls(pipeline.all_tasks, _settings),
        schedule=pipeline.pipeline.schedule,
        secrets=pipeline.pipeline.secrets,
    )
    return (TargetFile(pipeline.beside(FILE), text, "the pipeline as a Prefect 3 flow"),)


def _settings(task: Task) -> list[str]:
    """Returns the further arguments of a task, as Python."""
    demands, settings = task.demands, dict[str, Json]()
    if demands.retries:
        settings["retries"] = demands.retries
        settings["retry_delay_seconds"] = [delay(demands.backoff, tries) for tries in range(1, demands.retries + 1)]
    if task.patience is not None:
        settings["timeout_seconds"] = task.patience
    # Prefect gives machines to flows, not to tasks: tags are what its limits of concurrency go by.
    if wanted := kubernetes(demands.resources):
        settings["tags"] = [f"{name}={amount}" for name, amount in wanted.items()]
    return [f"{name}={python(value)}" for name, value in settings.items()]


TARGET = Target(emit)
