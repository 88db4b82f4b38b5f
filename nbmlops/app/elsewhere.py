"""`--executor`: a cluster executes the steps of a run; what is left for this machine is to close the pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nbmlops.app.progress import Progress
from nbmlops.core.errors import ConfigError, EnvironmentFault, NbmlopsError, StepFailed, UsageError
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.run_codec import run_from_json
from nbmlops.pipeline.run_record import StepError, StepStatus
from nbmlops.runtime.events import StepDoneElsewhere, StepsSentElsewhere
from nbmlops.runtime.executors.dask import carry_out, dask_cluster
from nbmlops.runtime.executors.orders import Done, Order, orders_of
from nbmlops.runtime.foresee import Prospect, foresee
from nbmlops.runtime.layout import layout_of, pipeline_file
from nbmlops.runtime.plan import select
from nbmlops.runtime.results import RunOptions
from nbmlops.runtime.shared_cache import SharedCache
from nbmlops.runtime.shared_store import SharedStore

DASK = "dask"


def dask_address(executor: str) -> str:
    """Returns the scheduler's address in `dask://HOST:PORT`; "" for `dask`, a cluster on this machine.

    Raises:
        UsageError: it is neither.
    """
    name, separator, address = executor.partition("://")
    if name != DASK or (separator and not address):
        raise UsageError(f"{executor!r} is no executor", "write dask, or dask://HOST:PORT for a cluster that is there")
    if not address:
        return ""
    return address if "://" in address else f"tcp://{address}"


def execute_elsewhere(folder: Path, options: RunOptions, executor: str, tell: Callable[[Progress], None]) -> RunOptions:
    """Returns the options of the run that closes the pipeline, after a cluster has executed the steps.

    Args:
        folder: The pipeline's folder.
        options: Those of the whole run.
        executor: `dask`, or `dask://HOST:PORT`.
        tell: Told of every step that has been executed.

    Raises:
        UsageError: the executor is not known, or needs a shared store.
        EnvironmentFault: the cluster or the shared store cannot be used.
        StepFailed: a step failed.
    """
    address = dask_address(executor)
    if address and not options.store:
        raise UsageError(
            "the workers of a cluster need a store that they share with this machine",
            "name it: nbmlops run --store URL, or [run] store in nbmlops.toml",
        )
    pipeline = read_pipeline(pipeline_file(folder))
    layout = layout_of(folder, pipeline)
    selection = select(pipeline, options.first, options.last, force=options.force)
    closing = replace(options, force=False, first="", last=options.last)
    if all(step.prospect is Prospect.REUSE for step in foresee(folder, options)):
        return closing
    orders = orders_of(layout, selection, options)
    if options.store:
        cache = SharedCache(layout, SharedStore(options.store), tell, needed=True)
        for record in filter(None, (cache.latest(step.name) for step in selection.steps)):
            cache.share(record)  # what this machine has already, workers need not execute again
    _carry_out(orders, address, tell)
    return closing


def _carry_out(orders: tuple[Order, ...], address: str, tell: Callable[[Progress], None]) -> None:
    failed: list[Done] = []
    with dask_cluster(address, orders) as client:
        workers = len(client.scheduler_info()["workers"])
        tell(StepsSentElsewhere(tuple(order.step for order in orders), client.scheduler.address, workers))
        for done, where in carry_out(client, orders):
            tell(StepDoneElsewhere(done.step, done.code == 0, done.seconds, where, done.after))
            failed += [done] if done.code != 0 and not done.after else []
    if failed:
        names = [order.step for order in orders]
        raise _fault(min(failed, key=lambda done: names.index(done.step)))


def _fault(done: Done) -> NbmlopsError:
    """Returns the error of a step that failed elsewhere, as that of the run."""
    error, notebook = _step_error(done)
    if error is not None:
        place = f" (cell {error.cell}, line {error.line})" if error.cell else ""
        hint = error.hint or (f"its executed notebook: {notebook}" if notebook else "")
        return StepFailed(f"step {done.step!r} failed on a worker: {error.name}: {error.message}{place}", hint)
    kind = {2: UsageError, 4: EnvironmentFault}.get(done.code, StepFailed)
    return kind(f"step {done.step!r} could not be executed on a worker (exit code {done.code}): {done.told.strip()}")


def _step_error(done: Done) -> tuple[StepError | None, str]:
    try:
        record = run_from_json(json.loads(done.output))
    except (ValueError, UsageError, ConfigError):
        return None, ""  # it did not come to a run document: stderr says why
    for step in record.steps:
        if step.status is StepStatus.FAILED:
            return step.error, step.notebook
    return None, ""
