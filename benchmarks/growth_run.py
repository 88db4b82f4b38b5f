"""Runs a pipeline in this process, without tracking, and prints as JSON what it took; `growth.py` calls it.

python benchmarks/growth_run.py PIPELINE JOBS [force]
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from nbmlops.pipeline.run_record import RunStatus
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.results import RunOptions


def main() -> None:
    """Prints wall seconds, CPU seconds of the runner and of all others, its peak memory, and what the steps took."""
    options = RunOptions(jobs=int(sys.argv[2]), force="force" in sys.argv[3:])
    started = time.perf_counter()
    result = run_pipeline(Path(sys.argv[1]), options, lambda _event: None)
    wall = time.perf_counter() - started
    if result.status is not RunStatus.SUCCEEDED:
        sys.exit(f"{result.status}: {next((step.error for step in result.steps if step.error), None)}")
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    status = Path("/proc/self/status").read_text().split()
    found = {
        "wall": wall,
        "cpu": own.ru_utime + own.ru_stime,
        "others": others.ru_utime + others.ru_stime,
        "peak": int(status[status.index("VmHWM:") + 1]) << 10,  # ru_maxrss has that of who started it
        "executed": sum(step.status == "executed" for step in result.steps),
        "peaks": {step.name: step.peak for step in result.steps},
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
