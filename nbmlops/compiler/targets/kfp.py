"""Kubeflow Pipelines v2: a Python file that writes the pipeline's YAML with KFP's own compiler.

KFP replaces `{{$…}}` in everything that passes through it, and turns the numbers of lists into floats. So lists and
dicts travel as text, and a text with two braces is shown with a space between them; only values that differ from what
is shown are passed on.
"""

from __future__ import annotations

from dataclasses import dataclass

from nbmlops.compiler.names import fresh
from nbmlops.compiler.targets.deployment import Argument, Deployment, Target, TargetFile
from nbmlops.compiler.templates import render
from nbmlops.core.diagnostics import Json

FILE = "kfp_pipeline.py"
PASSED_ON = ("MLFLOW_TRACKING_URI", "NBMLOPS_STORE")
# What the functions of the template call their own.
_TAKEN = frozenset({
    "IMAGE", "PASSED_ON", "Path", "add", "after", "arguments", "command", "compiler", "default", "dsl", "isinstance",
    "json", "name", "nbmlops_options", "nbmlops_run", "options", "os", "other", "str", "subprocess", "task", "tasks",
    "text", "value", "variable",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shown:
    """A parameter as KFP shows it: under a name that it takes, with a default that it leaves as it is."""

    name: str
    alias: str
    kind: str
    shown: Json


def emit(pipeline: Deployment) -> tuple[TargetFile, ...]:
    """Returns the Python file."""
    arguments = _shown(pipeline.arguments)
    text = render(
        "targets/kfp.py.j2",
        name=pipeline.name,
        function=fresh(pipeline.name, _TAKEN | {argument.alias for argument in arguments}),
        file=FILE,
        folder=pipeline.folder,
        passed_on=PASSED_ON,
        arguments=arguments,
        tasks=pipeline.all_tasks,
    )
    return (TargetFile(pipeline.beside(FILE), text, "the pipeline for Kubeflow Pipelines v2: run it to get the YAML"),)


def _shown(arguments: tuple[Argument, ...]) -> tuple[_Shown, ...]:
    found: list[_Shown] = []
    for number, argument in enumerate(arguments, start=1):
        fits = argument.name.isascii() and argument.name[0].isalpha()
        taken = _TAKEN | {shown.alias for shown in found}
        alias = fresh(argument.name if fits else f"parameter_{number}", taken)
        found.append(_Shown(argument.name, alias, argument.kind.value, _default(argument.default)))
    return tuple(found)


def _default(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    while "{{" in value:
        value = value.replace("{{", "{ {")
    return value


TARGET = Target(emit, image_packages=("kfp>=2.14,<3",))
