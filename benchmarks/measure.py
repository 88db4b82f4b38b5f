"""Times whole commands side by side: each repetition runs every candidate once, in turn; medians and ratios are told.

Ratios hold where the speed of the machine drifts; the seconds do not carry over to another machine.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from msgspec import Struct


class Candidate(Struct, frozen=True):
    """A command to time. `prepare` runs before each repetition and is not timed; `expect` is its exit code."""

    name: str
    command: Sequence[str]
    prepare: Callable[[], None] = lambda: None
    expect: int = 0


class Timing(Struct, frozen=True):
    """Medians: wall seconds, CPU seconds (user and system, children included), MiB of the largest process."""

    wall: float
    cpu: float
    peak: float


def run_once(candidate: Candidate, cwd: Path, env: Mapping[str, str]) -> Timing:
    """Runs the command once and returns its cost. Raises RuntimeError with its output when it fails."""
    candidate.prepare()
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(candidate.command, cwd=cwd, env=env, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != candidate.expect:
            output.seek(0)
            said = output.read().decode(errors="replace")[-4000:]
            raise RuntimeError(f"{candidate.name}: exit code {process.returncode}\n{said}")
    return Timing(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(candidates: Sequence[Candidate], repetitions: int, cwd: Path, env: Mapping[str, str]) -> dict[str, Timing]:
    """Returns the median timing of each candidate; the order rotates from one repetition to the next."""
    seen: dict[str, list[Timing]] = {candidate.name: [] for candidate in candidates}
    for repetition in range(repetitions):
        turn = repetition % len(candidates)
        for candidate in [*candidates[turn:], *candidates[:turn]]:
            seen[candidate.name].append(run_once(candidate, cwd, env))
    return {
        name: Timing(median(t.wall for t in all_), median(t.cpu for t in all_), median(t.peak for t in all_))
        for name, all_ in seen.items()
    }


def table(title: str, timings: Mapping[str, Timing], unit: str) -> str:
    """Returns the timings as text, each with its ratio to the candidate named `unit`."""
    width = max(len(name) for name in timings)
    lines = [title, f"  {'':{width}}  wall s   CPU s  peak MiB   x wall   x CPU  x peak"]
    for name, timing in timings.items():
        base = timings[unit]
        ratios = (timing.wall / base.wall, timing.cpu / max(base.cpu, 1e-9), timing.peak / base.peak)
        costs = f"{timing.wall:7.2f} {timing.cpu:7.2f} {timing.peak:9.0f}"
        lines.append(f"  {name:{width}} {costs}  {' '.join(f'{ratio:7.3f}' for ratio in ratios)}")
    return "\n".join(lines)
