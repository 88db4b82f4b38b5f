"""The orders of several runs of one pipeline that differ in their parameters: what they have in common is done once.

Two runs have a step in common when its parameters, and those of all steps that come before it, are the same in both.
Runs share a folder: steps of different runs are carried out at once only where it is known that none of them changes a
file, and all can be repeated; else one run follows the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_bytes
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.executors.orders import Order
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.schedule.conflicts import changes

Parameters = Mapping[str, Json]


def are_apart(steps: Sequence[Step], known: Mapping[str, StepOutcome]) -> bool:
    """Returns whether it is known that runs with other parameters do not reach each other by anything but values."""
    found = [known.get(step.name) for step in steps]
    return all(
        outcome is not None and not outcome.unkeyable and not outcome.live and not changes(outcome) for outcome in found
    )


def merged(
    pipeline: Pipeline, runs: Sequence[tuple[Sequence[Order], Parameters]], *, apart: bool
) -> tuple[tuple[Order, ...], tuple[tuple[str, ...], ...]]:
    """Returns the orders of all runs, in an order in which they can be carried out, and the names of those of each run.

    Args:
        pipeline: The pipeline.
        runs: The orders of each run, and the values of all its parameters.
        apart: Whether steps of different runs may be carried out at once.
    """
    found: dict[str, Order] = {}
    own: list[tuple[str, ...]] = []
    for orders, parameters in runs:
        names = _names(pipeline, orders, parameters)
        previous = own[-1] if own and not apart else ()
        for order in orders:
            name = names[order.step]
            needs = tuple(names[need] for need in order.needs)
            follows = tuple(other for other in previous if other != name)
            if name not in found:
                found[name] = replace(order, name=name, needs=needs, follows=follows)
        own.append(tuple(names[order.step] for order in orders))
    return tuple(found.values()), tuple(own)


def _names(pipeline: Pipeline, orders: Sequence[Order], parameters: Parameters) -> dict[str, str]:
    """Returns a name for each step: equal in two runs where the step is the same in both."""
    read: dict[str, frozenset[str]] = {}
    names = {}
    for order in orders:
        step = pipeline.step(order.step)
        own = frozenset(parameters) if step.whole else frozenset(step.parameters)
        read[order.step] = own.union(*(read[need] for need in order.needs))
        values = json.dumps({name: parameters.get(name) for name in sorted(read[order.step])}, sort_keys=True)
        names[order.step] = f"{order.step}-{digest_bytes(values.encode())[:12]}"
    return names
