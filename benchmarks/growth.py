"""What grows with a pipeline: the runner's own cost for 10, 100 and 1,000 steps, and artifacts from 1 MB to 2 GB.

    python benchmarks/growth.py [--steps 10,100,1000] [--jobs 1,2] [--sizes 1,64,512,2048]

Steps do next to nothing: two chains of additions, so that with two jobs two steps may run at once. The runner's own
cost is the CPU time of its process; what its steps' processes take is told beside it. Runs are made without tracking.
A step takes a third of a second on a quiet machine, so 1,000 steps take six minutes for each number of jobs; 100 take
forty seconds, artifacts some minutes.
Artifacts need four times the largest size on the disk of the temporary folder, and three times in memory.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np  # noqa: TID253 - a script
import pandas as pd  # noqa: TID253 - a script
from handover import once
from msgspec import Struct
from run import NBMLOPS, write_notebook

FLAT = 1.5
"""The cost per step of the longest pipeline beside that of the shortest one is at most this."""
EDITED = "\n# a comment\nedited = 1"
STEP = "v{0} = v{1} + 1"
MAKE = {
    "frame": "value = pd.DataFrame({{f'c{{n}}': np.random.default_rng(n).random({rows}) for n in range(8)}})",
    "array": "value = np.random.default_rng(0).random(({rows}, 8))",
}
USE = {"frame": "float(value['c0'].iloc[-1])", "array": "float(value[-1, 0])"}


class Cost(Struct, frozen=True):
    """What a run took: wall, CPU of the runner and of all others, its peak memory and those of the steps."""

    wall: float
    cpu: float
    others: float
    peak: int
    executed: int
    peaks: Mapping[str, int]


def chains(count: int, edited: int = -1) -> list[tuple[str, str]]:
    """Returns the cells of a notebook of so many steps; `edited` is the number of one that is different."""
    cells = [("imports", "import math")]
    for number in range(count):
        source = STEP.format(number, number - 2) if number > 1 else f"v{number} = {number}"
        cells.append((f"step:s{number}", source + (EDITED if number == edited else "")))
    return cells


def run(folder: Path, jobs: int = 1, *options: str) -> Cost:
    """Returns what a run in a process of its own took."""
    command = [sys.executable, str(Path(__file__).with_name("growth_run.py")), str(folder), str(jobs), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder.parents[1])
    return Cost(**json.loads(done.stdout))


def compiled(root: Path, cells: Sequence[tuple[str, str]]) -> float:
    """Returns the seconds that compiling a notebook of these cells took."""
    write_notebook(root / "grown.ipynb", cells)
    started = time.perf_counter()
    subprocess.run([*NBMLOPS, "compile", "grown.ipynb"], cwd=root, check=True, capture_output=True)
    return time.perf_counter() - started


def size_of(folder: Path) -> int:
    """Returns how many bytes the files below a folder hold."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def grow(counts: Sequence[int], jobs: Sequence[int]) -> None:
    """Prints the cost of runs of so many steps, and whether it is flat."""
    print("Own: ms for each step of the runner's CPU time; others: that of the steps' processes")
    seen: dict[str, list[float]] = {}
    for count in counts:
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            seconds = compiled(root, chains(count))
            print(f"{count} steps: compiled in {seconds:.1f} s, {1000 * seconds / count:.1f} ms for each", flush=True)
            for name, cost in runs(root, count, jobs):
                seen.setdefault(name, []).append(cost.cpu)
                print(line(name, count, cost), flush=True)
            state = root / ".nbmlops"
            sizes = {path.name: size_of(path) / count / 1000 for path in sorted(state.iterdir()) if path.is_dir()}
            print("  kept for each step: " + ", ".join(f"{name} {size:.1f} kB" for name, size in sizes.items()))
    for name, cpu in seen.items():
        print(verdict(name, counts, cpu))


def line(name: str, count: int, cost: Cost) -> str:
    """Returns what a run of so many steps took."""
    each = 1000 / count
    return (
        f"  {name:18} {cost.wall:7.1f} s, {cost.executed:4} executed; own {each * cost.cpu:6.2f}, "
        f"others {each * cost.others:6.1f}, wall {each * cost.wall:7.1f} ms a step; "
        f"runner's peak {cost.peak / 1e6:.0f} MB"
    )


def verdict(name: str, counts: Sequence[int], cpu: Sequence[float]) -> str:
    """Returns whether the runner's cost for each step stays, and what each further step of a longer pipeline costs."""
    each = [1000 * seconds / count for seconds, count in zip(cpu, counts, strict=True)]
    pairs = zip(itertools.pairwise(cpu), itertools.pairwise(counts), strict=True)
    further = ", ".join(f"{1000 * (more - less) / (many - few):.2f}" for (less, more), (few, many) in pairs)
    ratio = each[-1] / each[0]
    met = "flat" if ratio <= FLAT else "NOT FLAT"
    told = f"{name}: {counts[-1]} steps beside {counts[0]}: {ratio:.2f} x (goal <= {FLAT}: {met})"
    return f"{told}; further steps {further} ms each"


def runs(root: Path, count: int, jobs: Sequence[int]) -> Iterator[tuple[str, Cost]]:
    """Yields what runs take: the first one, one with nothing to do, one after an edit in the middle, and all again.

    Only a run that has records of earlier ones starts steps before their turn: with more jobs than one all again.
    """
    folder = root / "pipelines" / "grown"
    yield "first run", run(folder)
    yield "nothing to do", run(folder)
    compiled(root, chains(count, edited=count // 2))
    yield "after one edit", run(folder)
    for number in jobs:
        if number > 1:
            yield f"all again, jobs {number}", run(folder, number, "force")


def hand_over(sizes: Sequence[int]) -> None:
    """Prints what artifacts of so many MB cost from step to step, beside writing and reading their bytes raw."""
    print("Artifacts from step to step: seconds beside raw bytes (medians of 4, in turn), peak memory of processes")
    for megabytes in sizes:
        for kind in MAKE:
            with tempfile.TemporaryDirectory() as place:
                print(artifact(Path(place), kind, megabytes), flush=True)


def artifact(root: Path, kind: str, megabytes: int) -> str:
    """Returns the line of one artifact."""
    rows = max(1, (megabytes << 20) // 64)
    cells = [
        ("imports", "import numpy as np\nimport pandas as pd"),
        ("step:make", MAKE[kind].format(rows=rows)),
        ("step:use", f"total = {USE[kind]}"),
        ("step:again", f"print(total + {USE[kind]})"),
    ]
    compiled(root, cells)
    cost = run(root / "pipelines" / "grown")
    shutil.rmtree(root / ".nbmlops")
    took, peaks = times_of(kind, rows), {name: peak / 1e6 for name, peak in cost.peaks.items()}
    saving, loading = took["save"] / took["raw write"], took["load"] / took["raw read"]
    return (
        f"  {kind} of {megabytes:4} MB: save {took['save']:6.3f} s, {saving:5.2f} x raw write (goal 1.5); "
        f"load {took['load']:6.3f} s, {loading:5.2f} x raw read (goal 0.5); run {cost.wall:5.1f} s; "
        f"peak MB: making {peaks['make']:.0f}, using {peaks['use']:.0f}, runner {cost.peak / 1e6:.0f}"
    )


def times_of(kind: str, rows: int) -> dict[str, float]:
    """Returns the wall seconds of each way for one value, medians of 4, ours and raw first in turn."""
    scope: dict[str, Any] = {"pd": pd, "np": np}
    exec(MAKE[kind].format(rows=rows), scope)
    seen: dict[str, list[float]] = {}
    for turn in range(4):
        with tempfile.TemporaryDirectory() as place:
            for way, (wall, _cpu) in once(scope["value"], Path(place), turn, parquet=False).items():
                seen.setdefault(way, []).append(wall)
    return {way: median(walls) for way, walls in seen.items()}


def numbers(text: str) -> list[int]:
    """Returns the numbers of a list with commas."""
    return [int(part) for part in text.split(",") if part]


def main() -> None:
    """Prints all tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=numbers, default=[10, 100, 1000])
    parser.add_argument("--jobs", type=numbers, default=[1, 2])
    parser.add_argument("--sizes", type=numbers, default=[1, 64, 512, 2048])
    given = parser.parse_args()
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore"}
    if given.sizes:
        hand_over(given.sizes)
    if given.steps:
        grow(given.steps, given.jobs)


if __name__ == "__main__":
    main()
