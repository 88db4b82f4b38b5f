"""One step for one worker: what it is told, and what it does, `nbmlops run --only STEP` in a process of its own.

The process has the worker's environment, but for the variables that decide results, which are the caller's: a cluster
sets numbers of threads. Its process group ends with the worker, however that ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.codec import FILE_NAME
from nbmlops.pipeline.graph import predecessors
from nbmlops.pipeline.ir import Step
from nbmlops.runtime.facts import kernel_environment, without_decisive
from nbmlops.runtime.keeper import KEEPER
from nbmlops.runtime.layout import Layout, pipeline_file
from nbmlops.runtime.plan import Selection
from nbmlops.runtime.results import RunOptions

PROJECT_VARIABLE = "NBMLOPS_PROJECT"
"""Set on a worker: the project's folder there, where it is not the caller's."""
_NOT_BEGUN = -1


@dataclass(frozen=True, slots=True)
class Order:
    """A step to execute.

    Attributes:
        step: Its name.
        needs: Steps whose orders must have been carried out before.
        root: The project's folder on the caller's machine.
        below: The pipeline's folder, relative to it.
        document: Digest of `pipeline.yaml`: a worker with another one would execute something else.
        arguments: What `nbmlops run FOLDER` gets.
        environment: The variables that decide results.
    """

    step: str
    needs: tuple[str, ...]
    root: str
    below: str
    document: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Done:
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


def orders_of(layout: Layout, selection: Selection, options: RunOptions) -> tuple[Order, ...]:
    """Returns the orders for the steps of a run, in notebook order; closing the pipeline is no part of them."""
    names = {step.name for step in selection.steps}
    document = digest_bytes(pipeline_file(layout.folder).read_bytes())
    environment = kernel_environment(options.environment())
    return tuple(
        Order(
            step=step.name,
            needs=tuple(sorted(predecessors(step) & names)),
            root=str(layout.root),
            below=Path(os.path.relpath(layout.folder, layout.root)).as_posix(),
            document=document,
            arguments=_arguments(step, options, force=step.name in selection.forced),
            environment=environment,
        )
        for step in selection.steps
    )


def _arguments(step: Step, options: RunOptions, *, force: bool) -> tuple[str, ...]:
    parameters = [f"--parameter={name}={_text(value)}" for name, value in options.parameters.items()]
    flags = {"--force": force, "--strict": options.strict, "--cold": not options.warm}
    given = [flag for flag, wanted in flags.items() if wanted]
    given += [f"--timeout={options.timeout}"] if options.timeout is not None else []
    given += [f"--store={options.store}"] if options.store else []
    return (f"--only={step.name}", *parameters, *given, "--format=json")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def execute(order: Order, before: Sequence[Done]) -> Done:
    """Returns what became of the order; called on a worker.

    Args:
        order: The step.
        before: What became of the orders that it needs.

    Raises:
        EnvironmentFault: the worker has not the project, or another state of it.
    """
    for done in before:
        if done.code != 0:
            return Done(order.step, _NOT_BEGUN, 0.0, after=done.after or done.step)
    root = _root(order)
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
