"""What a step needs of a machine, in the words of engines."""

from __future__ import annotations

from nbmlops.pipeline.demands import Resources, memory_bytes

_MIB = 1024 * 1024
GPU = "nvidia.com/gpu"


def kubernetes(resources: Resources) -> dict[str, str]:
    """Returns the resources as Kubernetes names them, for what is said."""
    found = {"cpu": f"{resources.cpu:g}"} if resources.cpu else {}
    found |= {"memory": f"{mebibytes(resources)}Mi"} if resources.memory else {}
    return found | ({GPU: str(resources.gpu)} if resources.gpu else {})


def mebibytes(resources: Resources) -> int:
    """Returns the memory in MiB, rounded up; 0 if it is not said."""
    return -(-memory_bytes(resources.memory) // _MIB) if resources.memory else 0
