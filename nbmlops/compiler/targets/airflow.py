"""Airflow 3: a DAG file. Nothing passes through Airflow's templates: options are plain Python values of the file."""

from __future__ import annotations

from nbmlops.compiler.targets.deployment import Deployment, Target, TargetFile, Task
from nbmlops.compiler.targets.quoting import python
from nbmlops.compiler.targets.resources import kubernetes
from nbmlops.compiler.targets.shown import add_calls, shown_arguments
from nbmlops.compiler.templates import render
from nbmlops.pipeline.demands import Resources

FILE = "airflow_dag.py"
_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}


def emit(pipeline: Deployment) -> tuple[TargetFile, ...]:
    """Returns the DAG file."""
    text = render(
        "targets/airflow.py.j2",
        name=pipeline.name,
        root=pipeline.pipeline.root,
        folder=pipeline.folder,
        arguments=shown_arguments(pipeline.arguments, ()),
        types=_TYPES,
        calls=add_calls(pipeline.all_tasks, _settings),
        timed=any(task.demands.retries or task.patience is not None for task in pipeline.tasks),
        schedule=pipeline.pipeline.schedule,
        secrets=pipeline.pipeline.secrets,
        resources=any(task.demands.resources != Resources() for task in pipeline.tasks),
    )
    return (TargetFile(pipeline.beside(FILE), text, "the pipeline as an Airflow 3 DAG"),)


def _settings(task: Task) -> list[str]:
    """Returns the further arguments of a task, as Python."""
    demands, resources = task.demands, task.demands.resources
    settings = []
    if demands.retries:
        settings += [f"retries={demands.retries}", f"retry_delay=timedelta(seconds={demands.backoff!r})"]
        settings += ["retry_exponential_backoff=True"]
    if task.patience is not None:
        settings += [f"execution_timeout=timedelta(seconds={task.patience!r})"]
    if resources != Resources():
        settings += [f"executor_config=pod({python(kubernetes(resources))})"]
    return settings


TARGET = Target(emit)
