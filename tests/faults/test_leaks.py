"""Row 21 of the catalogue: however many steps a run executes, the runner has as many descriptors, threads, children."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nbmlops.pipeline.run_record import RunStatus
from nbmlops.runtime.schedule.events import StepFinished

STEPS = 1000 if "NBMLOPS_SOAK" in os.environ else 8


def children() -> int:
    """Returns the number of processes that belong to this one, also those that have ended and were not waited for."""
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return sum(len((task / "children").read_text().split()) for task in tasks)


@pytest.mark.slow
def test_a_thousand_steps_leak_nothing(tmp_path: Path, tiny: ModuleType) -> None:
    first = tiny.Sketch("step0", "x = 0", outputs=("x",))
    others = [
        tiny.Sketch(f"step{number}", "x = x + 1", inputs={"x": f"step{number - 1}"}, outputs=("x",))
        for number in range(1, STEPS)
    ]
    folder = tiny.write_pipeline(tmp_path, [first, *others])
    counts: list[tuple[int, int, int]] = []

    def count(event: Any) -> None:
        if isinstance(event, StepFinished):
            descriptors, threads = (len(list(Path(f"/proc/self/{kind}").iterdir())) for kind in ("fd", "task"))
            counts.append((descriptors, threads, children()))

    class Counting(list[Any]):
        def append(self, event: Any) -> None:
            count(event)

    result = tiny.run(folder, Counting())
    assert result.status is RunStatus.SUCCEEDED
    assert len(counts) == STEPS
    print(counts[0], counts[-1])  # noqa: T201 - the figures of `make soak`
    # The first steps make what the others use as well: the process that is forked from, the keeper.
    most = [max(found) for found in zip(*counts[4:], strict=True)]
    begun = [max(found) for found in zip(*counts[:4], strict=True)]
    assert [more - few for more, few in zip(most, begun, strict=True) if more > few] == []
