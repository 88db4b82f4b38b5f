"""Steps on a Dask cluster of this machine; more of it, with real clusters, in tests/targets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbmlops.app.running.elsewhere import execute_elsewhere
from nbmlops.app.running.progress import Progress
from nbmlops.core.errors import StepFailed
from nbmlops.runtime.handover.values import load_value
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.events import StepDoneElsewhere
from nbmlops.runtime.schedule.results import RunOptions
from tests.integration.test_runtime import Sketch, write_pipeline

pytestmark = pytest.mark.slow

FIRST = Sketch("first", "x = [n] * 3", outputs=("x",), parameters=("n",))
WRONG = Sketch("wrong", "y = x[10]", inputs={"x": "first"}, outputs=("y",))
LAST = Sketch("last", "z = y", inputs={"y": "wrong"}, outputs=("z",))


def test_steps_are_executed_by_workers_as_this_machine_would(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path, [FIRST, WRONG, LAST], {"n": 1})
    events: list[Progress] = []
    before = dict(os.environ)
    options = RunOptions(base=tmp_path, parameters={"n": 7})
    with pytest.raises(StepFailed, match=r"^step 'wrong' failed on a worker: IndexError: list index out of range"):
        execute_elsewhere(folder, options, "dask", events.append)
    assert dict(os.environ) == before
    done = [event for event in events if isinstance(event, StepDoneElsewhere)]
    assert [(event.step, event.succeeded, event.after) for event in done] == [
        ("first", True, ""), ("wrong", False, ""), ("last", False, "wrong"),
    ]  # fmt: skip
    # What the worker executed counts here: the same key, under the same environment.
    result = run_pipeline(folder, RunOptions(base=tmp_path, parameters={"n": 7}, last="first"), events.append)
    assert [step.status.value for step in result.steps] == ["cached", "skipped", "skipped"]
    assert load_value(folder, result, "x") == [7, 7, 7]
    # Nothing is left to do up to there: no cluster is started, no worker asked.
    closing = execute_elsewhere(folder, RunOptions(parameters={"n": 7}, last="first"), "dask", events.append)
    assert (closing.last, len([event for event in events if isinstance(event, StepDoneElsewhere)])) == ("first", 3)
