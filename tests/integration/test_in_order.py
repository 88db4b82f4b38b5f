"""Tasks of an engine that come in another order than the notebook's: the results are those of notebook order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbmlops.app.running.in_order import missing_before
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.runtime.layout import layout_of
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.results import RunOptions
from tests.integration.test_runtime import Sketch, write_pipeline

pytestmark = pytest.mark.slow

SEED = Sketch("seed", "random.seed(n)", parameters=("n",))
LEFT = Sketch("left", "x = random.random()\nopen('notes.txt', 'w').write(str(x))", outputs=("x",))
FREE = Sketch("free", "z = 1", outputs=("z",))
RIGHT = Sketch("right", "y = random.random(), len(open('notes.txt').read()) > 0", outputs=("y",))
SKETCHES = [SEED, LEFT, FREE, RIGHT]


def begin(folder: Path, step: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "nbmlops", "run", str(folder), f"--only={step}", "--in-order"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder.parent.parent, stdout=quiet, stderr=quiet)


def values(folder: Path) -> dict[str, object]:
    pipeline = read_pipeline(folder / "pipeline.yaml")
    layout = layout_of(folder, pipeline)
    cache = StepCache(layout.cache, layout.state)
    found = {step.name: cache.latest(step.name) for step in pipeline.steps}
    return {name: one and (one.key, one.outcome.values, one.outcome.random) for name, one in found.items()}


def test_tasks_that_begin_at_once_give_what_notebook_order_gives(tmp_path: Path) -> None:
    here, there = (write_pipeline(tmp_path / name, SKETCHES, {"n": 3}) for name in ("here", "there"))
    run_pipeline(here, RunOptions(base=here), lambda _: None)
    assert missing_before(there, RunOptions(only=("right",))) == ("seed", "left", "free")
    tasks = [begin(there, step) for step in ("right", "free", "left")]
    assert [task.wait() for task in tasks] == [0] * 3
    assert values(there) == values(here)
    # Now it is known what each does: with other parameters, those that leave each other alone do not wait.
    other = {"n": 4}
    assert missing_before(there, RunOptions(only=("right",), parameters=other)) == ("seed", "left")
    assert missing_before(there, RunOptions(only=("left",), parameters=other)) == ("seed",)
    assert missing_before(there, RunOptions(only=("free",), parameters=other)) == ()
    with pytest.raises(UsageError, match="'nothing' is not a step"):
        missing_before(there, RunOptions(only=("nothing",)))
