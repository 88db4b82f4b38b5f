"""What a step needs of a machine, in the words in which Dask's workers declare what they have. Pure.

Dask knows resources by names that people give: `dask worker --resources "CPU=8 MEMORY=32e9 GPU=1"`. A kind that no
worker declares cannot be asked for: the step would wait for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.demands import Resources, memory_bytes

CPU, MEMORY, GPU = "CPU", "MEMORY", "GPU"


def wanted(resources: Resources) -> dict[str, float]:
    """Returns what a step needs: cores, bytes of memory, graphics cards; nothing of what it does not say."""
    memory = memory_bytes(resources.memory) if resources.memory else 0
    found = {CPU: resources.cpu, MEMORY: float(memory), GPU: float(resources.gpu)}
    return {kind: amount for kind, amount in found.items() if amount}


def has(declared: Mapping[str, float], asked: Mapping[str, float]) -> bool:
    """Returns whether a worker that declares this has all that is asked for."""
    return all(declared.get(kind, 0.0) >= amount for kind, amount in asked.items())


def asked_for(step: str, resources: Resources, declared: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Returns what to ask a cluster for: what the step needs, of the kinds that any of the workers declares.

    Args:
        step: The step's name, for messages.
        resources: What it needs.
        declared: What each worker declares.

    Raises:
        EnvironmentFault: it needs a graphics card and no worker declares any, or no worker has enough.
    """
    needs = wanted(resources)
    asked = {kind: amount for kind, amount in needs.items() if any(kind in one for one in declared)}
    if GPU in needs and GPU not in asked:
        raise EnvironmentFault(
            f"step {step!r} needs a graphics card, and no worker of the cluster declares one",
            'start those that have one with: dask worker HOST:PORT --resources "GPU=1"',
        )
    if not any(has(one, asked) for one in declared):
        words = ", ".join(f"{kind}={amount:g}" for kind, amount in asked.items())
        raise EnvironmentFault(
            f"step {step!r} needs {words}, and no worker of the cluster declares so much",
            "start a worker that has it, or ask for less in nbmlops.toml: [steps.NAME] cpu, memory, gpu",
        )
    return asked
