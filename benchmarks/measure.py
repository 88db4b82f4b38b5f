"""Times whole commands side by side: each repetition runs every candidate once, in turn; medians and ratios are told.

Ratios hold where the speed of the machine drifts; the seconds do not carry over to another machine.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Candidate:
    """A command to time. `prepare` runs before each repetition and is not timed; `expect` is its exit code."""

    name: str
    command: Sequence[str]
    prepare: Callable[[], None] = lambda: None
    expect: int = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """Median wall seconds and median CPU seconds (user and system, children included)."""

    wall: float
    cpu: float


def run_once(candidate: Candidate, cwd: Path, env: Mapping[str, str]) -> Timing:
    """Runs the command once and returns its cost. Raises RuntimeError with its output when it fails."""
    candidate.prepare()
    started = time.perf_counter()
    before = os.times()
    done = subprocess.run(candidate.command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    after = os.times()
    if done.returncode != candidate.expect:
        raise RuntimeError(
            f"{candidate.name}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Timing(time.perf_counter() - started, cpu)


def compare(candidates: Sequence[Candidate], repetitions: int, cwd: Path, env: Mapping[str, str]) -> dict[str, Timing]:
    """Returns the median timing of each candidate; the order rotates from one repetition to the next."""
    seen: dict[str, list[Timing]] = {candidate.name: [] for candidate in candidates}
    for repetition in range(repetitions):
        turn = repetition % len(candidates)
        for candidate in [*candidates[turn:], *candidates[:turn]]:
            seen[candidate.name].append(run_once(candidate, cwd, env))
    return {name: Timing(median(t.wall for t in all_), median(t.cpu for t in all_)) for name, all_ in seen.items()}


def table(title: str, timings: Mapping[str, Timing], unit: str) -> str:
    """Returns the timings as text, each with its ratio to the candidate named `unit`."""
    width = max(len(name) for name in timings)
    lines = [title, f"  {'':{width}}  wall s   CPU s   x wall   x CPU"]
    for name, timing in timings.items():
        ratios = f"{timing.wall / timings[unit].wall:7.2f} {timing.cpu / max(timings[unit].cpu, 1e-9):7.2f}"
        lines.append(f"  {name:{width}} {timing.wall:7.2f} {timing.cpu:7.2f}  {ratios}")
    return "\n".join(lines)
