"""Carries out orders on a Dask cluster: one that is there, or one of processes on this machine for the time of a run.

Dask decides which worker executes what, and gives the steps of a worker that died to another one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from nbmlops.core.errors import EnvironmentFault, StepFailed
from nbmlops.runtime.executors.orders import Done, Order, execute
from nbmlops.runtime.executors.placing import asked_for, has

_PATIENCE = 30.0
"""Seconds to wait for a scheduler to answer, and for a worker to come; then somebody is told."""


@contextmanager
def dask_cluster(address: str, orders: Sequence[Order]) -> Iterator[Any]:
    """Yields a client of the cluster.

    Args:
        address: That of a scheduler, `HOST:PORT` or with the protocol before it; "" for a cluster on this machine.
        orders: What is going to be carried out.

    Raises:
        EnvironmentFault: Dask is not installed, or the scheduler does not answer.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise EnvironmentFault(
            "the Dask executor needs the package distributed", 'install it: pip install "nbmlops[dask]"'
        ) from error
    if not address:
        workers = max(1, min(os.cpu_count() or 1, len(orders)))
        with (
            _environment_kept(),
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(address, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise EnvironmentFault(
            f"there is no Dask scheduler at {address}: {error}", "check the address, and that the scheduler runs"
        ) from error
    with client:
        yield client


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Takes back what Dask does to the variables of this very process: a hash seed, numbers of threads."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def carry_out(
    client: Any, orders: Sequence[Order], *, own: bool, waits: Callable[[Sequence[str], str], None]
) -> Iterator[tuple[Order, Done, str]]:
    """Yields each order with what became of it and the worker's address, in the order of their ends.

    What a worker raises, because it does not have the project say, is raised here.

    Args:
        client: As `dask_cluster` yields it.
        orders: In an order in which they could be carried out one after the other.
        own: The cluster is this machine's and made for this run: what steps need of a machine is not asked for.
        waits: Told which steps wait, and why, when nobody is there who could carry them out.

    Raises:
        StepFailed: the workers of a step died again and again.
        EnvironmentFault: the scheduler is gone, there is no worker, or none has what a step needs.
    """
    from distributed import CancelledError, KilledWorker
    from distributed.client import ClosedClientError, FuturesCancelledError
    from distributed.comm import CommClosedError

    run, address = uuid4().hex, client.scheduler.address
    gone = (CancelledError, FuturesCancelledError, ClosedClientError, CommClosedError)
    futures: dict[str, Any] = {}
    try:
        declared = [] if own else _declared(client)
        asked = {order.name: {} if own else asked_for(order.step, order.resources, declared) for order in orders}
        for order in orders:
            before, ended = ([futures[name] for name in names] for names in (order.needs, order.follows))
            how = {"key": f"{order.name}-{run}", "pure": False, "retries": 0}
            futures[order.name] = client.submit(
                execute, order, before, ended, **how, resources=asked[order.name] or None
            )
        pending = {futures[order.name]: order for order in orders}
        while pending:
            needs = {future: (order.step, asked[order.name]) for future, order in pending.items()}
            for future in _over(client, needs, waits):
                order = pending.pop(future)
                where = ", ".join(client.who_has([future]).get(future.key, ()))
                try:
                    done = future.result()
                except KilledWorker as error:
                    raise StepFailed(
                        f"step {order.step!r}: the workers that executed it died again and again",
                        "is their memory enough? their logs, or those of the scheduler, may say more",
                    ) from error
                yield order, done, where
    except gone as error:
        raise EnvironmentFault(
            f"the Dask scheduler at {address} is gone, with the steps that it had given out",
            "start it again, then run the same command: what was finished is not executed again",
        ) from error
    finally:
        with suppress(*gone):
            client.cancel(list(futures.values()))


def _declared(client: Any) -> list[Mapping[str, float]]:
    """Returns the resources that each worker declares, after one has come.

    Raises:
        EnvironmentFault: none comes.
    """
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        raise EnvironmentFault(
            f"the Dask scheduler at {client.scheduler.address} has no worker, and got none in {_PATIENCE:.0f} seconds",
            "start one: dask worker HOST:PORT; a cluster that adapts itself needs minimum=1",
        ) from error
    return [worker["resources"] for worker in _workers(client)]


def _workers(client: Any) -> list[Mapping[str, Any]]:
    return list(client.scheduler_info(n_workers=-1)["workers"].values())


def _over(
    client: Any, pending: Mapping[Any, tuple[str, Mapping[str, float]]], waits: Callable[[Sequence[str], str], None]
) -> list[Any]:
    """Returns those of the futures that have ended, when there is at least one."""
    from distributed import wait

    while True:
        try:
            return sorted(wait(list(pending), timeout=_PATIENCE, return_when="FIRST_COMPLETED").done, key=str)
        except TimeoutError:
            declared = [worker["resources"] for worker in _workers(client)]
            homeless = [step for step, asked in pending.values() if not any(has(one, asked) for one in declared)]
            if homeless:
                why = "no worker has what they need any more" if declared else "the cluster has no worker any more"
                waits(tuple(homeless), why)
