"""Carries out orders on a Dask cluster: one that is there, or one of processes on this machine for the time of a run.

Dask decides which worker executes what, and gives the steps of a worker that died to another one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from nbmlops.core.errors import EnvironmentFault, StepFailed
from nbmlops.runtime.executors.orders import Done, Order, execute

_PATIENCE = 30.0
"""Seconds to wait for a scheduler to answer."""


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


def carry_out(client: Any, orders: Sequence[Order]) -> Iterator[tuple[Done, str]]:
    """Yields what became of each order and the worker's address, in the order of their ends.

    What a worker raises, because it does not have the project say, is raised here.

    Args:
        client: As `dask_cluster` yields it.
        orders: In an order in which they could be carried out one after the other.

    Raises:
        StepFailed: the workers of a step died again and again.
    """
    from distributed import KilledWorker, as_completed

    run = uuid4().hex
    futures: dict[str, Any] = {}
    for order in orders:
        before = [futures[name] for name in order.needs]
        futures[order.step] = client.submit(execute, order, before, key=f"{order.step}-{run}", pure=False, retries=0)
    names = {future.key: name for name, future in futures.items()}
    try:
        for future in as_completed(futures.values()):
            where = ", ".join(client.who_has([future]).get(future.key, ()))
            try:
                done = future.result()
            except KilledWorker as error:
                raise StepFailed(
                    f"step {names[future.key]!r}: the workers that executed it died again and again",
                    "is their memory enough? their logs, or those of the scheduler, may say more",
                ) from error
            yield done, where
    finally:
        client.cancel(list(futures.values()))
