"""What following cells costs a kernel beside ipyflow: processor time of real kernels, in turn, in one run.

    python benchmarks/peer_cells.py PYTHON

PYTHON is the interpreter of an environment that has ipyflow and ipykernel. Each of the two is compared with a bare
kernel of its own environment: what counts is the processor time of the kernel's process that a cell adds.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CELLS = ("pass", "x = 1", "y = [v1[0] + i for i in range(10)]\nz = y[-1] + v2")
SEED = "for _i in range({}): globals()[f'v{{_i}}'] = [_i] if _i % 2 else _i"
BLOCK, BLOCKS = 20, int(os.environ.get("NBMLOPS_BLOCKS", "6"))
USED = {"used": "__import__('time').process_time()"}


class Kernel:
    """A kernel of an environment after its first cell."""

    def __init__(self, python: str, first: str, variables: int, folder: Path) -> None:
        from jupyter_client.manager import KernelManager

        self._manager = KernelManager()
        assert self._manager.kernel_spec is not None
        self._manager.kernel_spec.argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / ".ipython")}
        self._manager.start_kernel(cwd=str(folder), env=env)
        self._client: Any = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=120)
        for source in (first, SEED.format(variables)):
            assert self._run(source)["status"] == "ok", source

    def _run(self, source: str, **more: Any) -> dict[str, Any]:
        answer = self._client.execute(source, store_history=True, reply=True, timeout=300, **more)
        return dict(answer["content"])

    def used(self) -> float:
        """Returns the seconds of processor time that the kernel's process has taken."""
        answer = self._client.execute("", silent=True, user_expressions=USED, reply=True, timeout=300)
        return float(answer["content"]["user_expressions"]["used"]["data"]["text/plain"])

    def block(self, source: str) -> float:
        """Returns the microseconds of processor time a cell, over a block of cells."""
        before = self.used()
        for _ in range(BLOCK):
            self._run(source)
        return (self.used() - before) / BLOCK * 1e6

    def end(self) -> None:
        """Ends it."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


def main() -> None:
    """Measures at few and at many variables."""
    print("microseconds of processor time that a cell adds to a bare kernel's, medians of blocks")
    for variables in (500, 5_000):
        with tempfile.TemporaryDirectory(prefix="nbmlops-cells-") as folder:
            Path(folder, "nbmlops.toml").touch()
            measure(variables, Path(folder))


def measure(variables: int, folder: Path) -> None:
    """Prints one line for each kind of cell."""
    peer = sys.argv[1]
    kernels = {
        "bare": Kernel(sys.executable, "pass", variables, folder),
        "nbmlops": Kernel(sys.executable, "%load_ext nbmlops\n%mlops track --name cells", variables, folder),
        "bare peer": Kernel(peer, "pass", variables, folder),
        "ipyflow": Kernel(peer, "%load_ext ipyflow", variables, folder),
    }
    try:
        for cell in CELLS:
            seen: dict[str, list[float]] = {name: [] for name in kernels}
            for turn in range(BLOCKS + 1):
                for name, kernel in kernels.items():
                    took = kernel.block(cell)
                    if turn:  # the first one warms up
                        seen[name].append(took)
            ours = median(a - b for a, b in zip(seen["nbmlops"], seen["bare"], strict=True))
            theirs = median(a - b for a, b in zip(seen["ipyflow"], seen["bare peer"], strict=True))
            told = f"bare {median(seen['bare']):.0f}  nbmlops {ours:+.0f}  ipyflow {theirs:+.0f}  x{theirs / ours:.0f}"
            print(f"{variables:5} variables, {cell.splitlines()[0]!r:36} {told}", flush=True)
    finally:
        for kernel in kernels.values():
            kernel.end()


if __name__ == "__main__":
    main()
