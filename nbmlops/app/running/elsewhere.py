"""`--executor`: a cluster executes the steps of a run; what is left for this machine is to close the pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from nbmlops.app.running.progress import Progress
from nbmlops.core.errors import ConfigError, EnvironmentFault, NbmlopsError, StepFailed, UsageError
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.ir import Pipeline
from nbmlops.pipeline.run_codec import run_from_json
from nbmlops.pipeline.run_record import StepError, StepStatus
from nbmlops.runtime.executors.dask import carry_out, dask_cluster
from nbmlops.runtime.executors.orders import Done, Order, orders_of
from nbmlops.runtime.executors.sweep_orders import are_apart, merged
from nbmlops.runtime.layout import Layout, layout_of, pipeline_file
from nbmlops.runtime.parameters import effective_parameters
from nbmlops.runtime.reuse.foresee import Prospect, foresee
from nbmlops.runtime.reuse.plan import select
from nbmlops.runtime.schedule.events import StepDoneElsewhere, StepsSentElsewhere, StepsWaitElsewhere
from nbmlops.runtime.schedule.notebook_order import known_outcomes
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.store.shared_cache import SharedCache
from nbmlops.runtime.store.shared_store import SharedStore

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
    (fault,) = execute_points_elsewhere(folder, [options], executor, tell)
    if fault is not None:
        raise fault
    return closing_options(options)


def closing_options(options: RunOptions) -> RunOptions:
    """Returns the options of the run that closes the pipeline, when its steps have been executed."""
    return replace(options, force=False, first="")


def execute_points_elsewhere(
    folder: Path, points: Sequence[RunOptions], executor: str, tell: Callable[[Progress], None]
) -> tuple[NbmlopsError | None, ...]:
    """Returns for each of several runs the error of its first step that failed, None where all were executed.

    What runs have in common is executed once. Those with nothing to execute ask no cluster.

    Args:
        folder: The pipeline's folder.
        points: The options of each whole run; they differ in their parameters only.
        executor: `dask`, or `dask://HOST:PORT`.
        tell: Told of every step that has been executed.

    Raises:
        UsageError: the executor is not known, or needs a shared store.
        EnvironmentFault: the cluster or the shared store cannot be used.
    """
    address = dask_address(executor)
    if address and any(not options.store for options in points):
        raise UsageError(
            "the workers of a cluster need a store that they share with this machine",
            "name it: nbmlops run --store URL, or [run] store in nbmlops.toml",
        )
    pipeline = read_pipeline(pipeline_file(folder))
    layout = layout_of(folder, pipeline)
    faults: dict[int, NbmlopsError] = {}
    open_points = [number for number, options in enumerate(points) if not _is_done(folder, options)]
    if open_points:
        orders, own = _orders(pipeline, layout, [points[number] for number in open_points], tell)
        failed = _carry_out(orders, address, tell)
        for number, names in zip(open_points, own, strict=True):
            wrong = [failed[name] for name in names if name in failed]
            if wrong:
                faults[number] = _fault(wrong[0])
    return tuple(faults.get(number) for number in range(len(points)))


def are_known_apart(folder: Path, options: RunOptions) -> bool:
    """Returns whether runs with other parameters are known to leave each other alone, so that they may go on at once.

    Args:
        folder: The pipeline's folder.
        options: Those of one of the runs.
    """
    pipeline = read_pipeline(pipeline_file(folder))
    steps = select(pipeline, options.first, options.last, force=options.force).steps
    return are_apart(steps, known_outcomes(pipeline, layout_of(folder, pipeline), steps, options))


def _is_done(folder: Path, options: RunOptions) -> bool:
    return all(step.prospect is Prospect.REUSE for step in foresee(folder, options))


def _orders(
    pipeline: Pipeline, layout: Layout, points: Sequence[RunOptions], tell: Callable[[Progress], None]
) -> tuple[tuple[Order, ...], tuple[tuple[str, ...], ...]]:
    """Returns what is to be carried out for all of the runs, and the names of the orders of each."""
    options = points[0]
    selection = select(pipeline, options.first, options.last, force=options.force)
    known = known_outcomes(pipeline, layout, selection.steps, options)
    if options.store:
        cache = SharedCache(layout, SharedStore(options.store), tell, needed=True)
        for record in filter(None, (cache.latest(step.name) for step in selection.steps)):
            cache.share(record)  # what this machine has already, workers need not execute again
    runs = [
        (orders_of(pipeline, layout, selection, point, known), effective_parameters(pipeline, point.parameters))
        for point in points
    ]
    if len(runs) == 1:
        return runs[0][0], (tuple(order.name for order in runs[0][0]),)
    return merged(pipeline, runs, apart=are_apart(selection.steps, known))


def _carry_out(orders: Sequence[Order], address: str, tell: Callable[[Progress], None]) -> dict[str, Done]:
    """Returns what became of the orders that failed, by their names, in the order in which they were given."""
    failed: dict[str, Done] = {}

    def waits(steps: Sequence[str], reason: str) -> None:
        tell(StepsWaitElsewhere(tuple(steps), reason))

    with dask_cluster(address, orders) as client:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        tell(StepsSentElsewhere(tuple(order.step for order in orders), client.scheduler.address, workers))
        for order, done, where in carry_out(client, orders, own=not address, waits=waits):
            tell(StepDoneElsewhere(done.step, done.code == 0, done.seconds, where, done.after))
            if done.code != 0 and not done.after:
                failed[order.name] = done
    return {order.name: failed[order.name] for order in orders if order.name in failed}


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
