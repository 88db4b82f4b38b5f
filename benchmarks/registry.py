"""Prints what changing the champion costs on a SQLite store: in process and as a command, beside MLflow's bare calls.

Run: python benchmarks/registry.py [ROUNDS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from nbmlops.registry.mlflow_registry import MlflowRegistry
from nbmlops.registry.promote import promote, rollback
from nbmlops.registry.transitions import Actor, standing

MODEL = "flights"
ADA = Actor("ada", "2026-11-21T10:00:00Z", "measured")


def registered(root: Path) -> MlflowRegistry:
    """Returns a registry with three versions of a model that may be promoted."""
    (root / "nbmlops.toml").write_text("")
    registry = MlflowRegistry("sqlite:///mlflow.db", root)
    registry.make_entry(MODEL, {})
    for number in ("1", "2", "3"):
        stored = root / "models" / number
        stored.mkdir(parents=True)
        (stored / "MLmodel").write_text("flavors: {}")
        registry._client.create_model_version(MODEL, str(stored))  # noqa: SLF001 - the bare calls are what is compared with
        registry.set_tags(MODEL, number, {"nbmlops.verdict": "pass"})
    promote(registry, MODEL, "1", ADA)
    return registry


def seconds(rounds: int, call: Callable[[int], object]) -> tuple[float, float]:
    """Returns the medians of wall and CPU time of a call, in seconds."""
    wall, cpu = [], []
    for number in range(rounds):
        begun, busy = time.perf_counter(), time.process_time()
        call(number)
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - busy)
    return median(wall), median(cpu)


def main() -> None:
    """Prints one line for each operation."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        registry = registered(root)
        client = registry._client  # noqa: SLF001 - as above
        bare = seconds(rounds, lambda n: client.set_registered_model_alias(MODEL, "bare", str(1 + n % 3)))
        promoted = seconds(rounds, lambda n: promote(registry, MODEL, str(2 + n % 2), ADA))
        rolled = seconds(rounds, lambda _: rollback(registry, MODEL, ADA))
        print(f"one alias by MLflow alone        {bare[0] * 1e3:7.1f} ms wall  {bare[1] * 1e3:7.1f} ms CPU")
        for name, (wall, cpu) in (("promote", promoted), ("rollback", rolled)):
            print(
                f"{name:<32} {wall * 1e3:7.1f} ms wall  {cpu * 1e3:7.1f} ms CPU  "
                f"{wall / bare[0]:5.1f} x  {1 / wall:5.1f} a second"
            )
        print(f"lines in the log: {len(standing(registry, MODEL).log.lines)}")
        command = [sys.executable, "-P", "-m", "nbmlops", "rollback", MODEL, "--to", "1", "--reason", "measured"]
        promote(registry, MODEL, "2", ADA)
        env = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
        begun = time.perf_counter()
        subprocess.run(command, cwd=root, env=env, check=True, stdout=subprocess.DEVNULL)
        whole = time.perf_counter() - begun
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import mlflow"], cwd=root, env=env, check=True)
        alone = time.perf_counter() - begun
        print(f"`nbmlops rollback`, whole process {whole:6.2f} s; `import mlflow` alone {alone:.2f} s")


if __name__ == "__main__":
    main()
