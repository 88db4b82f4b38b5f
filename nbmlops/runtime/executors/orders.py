"""One step for one worker: what it is told, and what it does, `nbmlops run --only STEP` in a process of its own.

The process has the worker's environment, but for the variables that decide results, which are the caller's: a cluster
sets numbers of threads. Its process group ends with the worker, however that ends.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.codec import FILE_NAME
from nbmlops.pipeline.demands import Resources
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.kernels.keeper import KEEPER
from nbmlops.runtime.layout import Layout, pipeline_file
from nbmlops.runtime.reuse.facts import kernel_environment, without_decisive
from nbmlops.runtime.reuse.libraries import installed_versions, normalized
from nbmlops.runtime.reuse.plan import Selection
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.schedule.notebook_order import before_each
from nbmlops.runtime.schedule.results import RunOptions

PROJECT_VARIABLE = "NBMLOPS_PROJECT"
"""Set on a worker: the project's folder there, where it is not the caller's."""
_NOT_BEGUN = -1
_LOCK = "requirements.lock"
_LOCKED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)
_SHOWN = 3


class Order(Struct, frozen=True):
    """A step to execute.

    Attributes:
        name: Tells it from others; the step's name where there is one order for each step.
        step: The step's name.
        needs: Orders that must have been carried out, with success, before.
        follows: Orders that must have come to an end before, in whatever way.
        root: The project's folder on the caller's machine.
        below: The pipeline's folder, relative to it.
        document: Digest of `pipeline.yaml`: a worker with another one would execute something else.
        arguments: What `nbmlops run FOLDER` gets.
        environment: The variables that decide results.
        versions: Those of Python ("python") and of the libraries of the lock, as the caller has them.
        resources: What the step needs of a machine.
    """

    name: str
    step: str
    needs: tuple[str, ...]
    root: str
    below: str
    document: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    versions: Mapping[str, str] = field(default_factory=dict)
    resources: Resources = field(default_factory=Resources)
    follows: tuple[str, ...] = ()


class Done(Struct, frozen=True):
    """What became of an order.

    Attributes:
        step: The step.
        code: Exit code of the command, that of a signal negative.
        seconds: Wall time on the worker.
        output: The run document that it printed.
        told: The end of what it wrote to stderr.
        after: The step that failed before, so that this one was not begun; else "".
    """

    step: str
    code: int
    seconds: float
    output: str = ""
    told: str = ""
    after: str = ""


def orders_of(
    pipeline: Pipeline, layout: Layout, selection: Selection, options: RunOptions, known: Mapping[str, StepOutcome]
) -> tuple[Order, ...]:
    """Returns the orders for the steps of a run, in notebook order; closing the pipeline is no part of them.

    Args:
        pipeline: The pipeline.
        layout: Where things are here.
        selection: The steps.
        options: Those of the run.
        known: What steps did last time: those that are known not to reach each other may be carried out at once.
    """
    before = before_each(pipeline, selection.steps, known)
    document = digest_bytes(pipeline_file(layout.folder).read_bytes())
    environment, versions = kernel_environment(options.environment()), _versions(layout.folder)
    return tuple(
        Order(
            name=step.name,
            step=step.name,
            needs=before[step.name],
            root=str(layout.root),
            below=Path(os.path.relpath(layout.folder, layout.root)).as_posix(),
            document=document,
            arguments=_arguments(step, options, force=step.name in selection.forced),
            environment=environment,
            versions=versions,
            resources=step.resources,
        )
        for step in selection.steps
    )


def _versions(folder: Path) -> dict[str, str]:
    """Returns the versions here of Python and of what the pipeline's lock names; without a lock of Python."""
    lock = folder / _LOCK
    names = set(map(normalized, _LOCKED.findall(lock.read_text()))) if lock.is_file() else set()
    installed = installed_versions(sys.path)
    found = {name: installed[name] for name in sorted(names & installed.keys())}
    return {"python": platform.python_version(), **found}


def _arguments(step: Step, options: RunOptions, *, force: bool) -> tuple[str, ...]:
    parameters = [f"--parameter={name}={_text(value)}" for name, value in options.parameters.items()]
    flags = {"--force": force, "--strict": options.strict, "--cold": not options.warm}
    given = [flag for flag, wanted in flags.items() if wanted]
    given += [f"--timeout={options.timeout}"] if options.timeout is not None else []
    given += [f"--store={options.store}"] if options.store else []
    return (f"--only={step.name}", *parameters, *given, "--format=json")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def execute(order: Order, before: Sequence[Done], ended: Sequence[Done] = ()) -> Done:  # noqa: ARG001 - only waited for
    """Returns what became of the order; called on a worker.

    Args:
        order: The step.
        before: What became of the orders that it needs.
        ended: What became of those that it follows.

    Raises:
        EnvironmentFault: the worker has not the project, or another state of it, or of the libraries.
    """
    for done in before:
        if done.code != 0:
            return Done(order.step, _NOT_BEGUN, 0.0, after=done.after or done.step)
    root = _root(order)
    _check_versions(order)
    command = [sys.executable, "-m", "nbmlops", "run", str(root / order.below), *order.arguments]
    begun = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=root,
        env={**without_decisive(os.environ), **order.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    KEEPER.keep(process.pid)
    try:
        output, told = process.communicate()
    finally:
        KEEPER.release(process.pid)
    return Done(order.step, process.returncode, round(time.monotonic() - begun, 3), output, told[-2000:])


def _check_versions(order: Order) -> None:
    """Lets go on where the libraries are the caller's: with others, results would be others, and never reused.

    Raises:
        EnvironmentFault: they are not.
    """
    here = {"python": platform.python_version(), **installed_versions(sys.path)}
    other = [(name, wanted, here.get(name, "absent")) for name, wanted in order.versions.items()]
    wrong = [f"{name} {found} instead of {wanted}" for name, wanted, found in other if found != wanted]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise EnvironmentFault(
            f"a worker on {platform.node()} has another environment: {', '.join(wrong[:_SHOWN])}{more}",
            f"install what the pipeline is locked to on all workers: pip install -r {order.below}/{_LOCK}",
        )


def _root(order: Order) -> Path:
    places = [Path(order.root), *([Path(os.environ[PROJECT_VARIABLE])] if PROJECT_VARIABLE in os.environ else [])]
    for place in reversed(places):
        document = place / order.below / FILE_NAME
        if document.is_file():
            if digest_bytes(document.read_bytes()) != order.document:
                raise EnvironmentFault(
                    f"the worker has another state of the pipeline: {document}", "give all workers the same commit"
                )
            return place
    raise EnvironmentFault(
        f"the worker has no pipeline at {places[-1] / order.below}",
        f"give it the project at the same path, or at the one that its variable {PROJECT_VARIABLE} names",
    )
