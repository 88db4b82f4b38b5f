"""Airflow 3: a DAG file. Nothing passes through Airflow's templates: options are plain Python values of the file."""

from __future__ import annotations

from nbmlops.compiler.targets.deployment import Deployment, Kind, Target, TargetFile
from nbmlops.compiler.templates import render

FILE = "airflow_dag.py"
_TYPES = {Kind.INT: "integer", Kind.FLOAT: "number", Kind.BOOL: "boolean", Kind.STR: "string"}


def emit(pipeline: Deployment) -> tuple[TargetFile, ...]:
    """Returns the DAG file."""
    text = render(
        "targets/airflow.py.j2",
        name=pipeline.name,
        root=pipeline.pipeline.root,
        folder=pipeline.folder,
        arguments=pipeline.arguments,
        types=_TYPES,
        tasks=pipeline.all_tasks,
    )
    return (TargetFile(pipeline.beside(FILE), text, "the pipeline as an Airflow 3 DAG"),)


TARGET = Target(emit)
