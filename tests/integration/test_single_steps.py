"""`--only`: single steps, each in a run of its own, as tasks of an engine; then the run that closes the pipeline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbmlops.core.errors import UsageError
from nbmlops.runtime.handover.values import load_value
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.events import Event, NotCacheable
from nbmlops.runtime.schedule.results import RunOptions, StepsResult
from tests.integration.test_runtime import Sketch, write_pipeline

pytestmark = pytest.mark.slow

FIRST = Sketch("first", "import random\nrandom.seed(n)\nx = [n]", outputs=("x",), parameters=("n",))
LEFT = Sketch("left", "import random\ny = x + [random.random()]", inputs={"x": "first"}, outputs=("y",))
RIGHT = Sketch("right", "import random\nz = x + [random.random()]", inputs={"x": "first"}, outputs=("z",))
LAST = Sketch("last", "both = (y, z)", inputs={"y": "left", "z": "right"}, outputs=("both",))


def run(folder: Path, *only: str, **options: object) -> StepsResult:
    events: list[Event] = []
    return run_pipeline(folder, RunOptions(base=folder.parent.parent, only=only, **options), events.append)  # type: ignore[arg-type]  # a test's shorthand


def told(result: StepsResult) -> list[tuple[str, str]]:
    return [(step.name, step.status.value) for step in result.steps]


def test_single_steps_give_what_a_whole_run_gives(tmp_path: Path) -> None:
    sketches = [FIRST, LEFT, RIGHT, LAST]
    apart = write_pipeline(tmp_path / "apart", sketches, {"n": 1})
    whole = write_pipeline(tmp_path / "whole", sketches, {"n": 1})
    with pytest.raises(UsageError, match="step 'left' needs 'first', whose results for these parameters are not in"):
        run(apart, "left")
    assert told(run(apart, "first")) == [
        ("first", "executed"), ("left", "skipped"), ("right", "skipped"), ("last", "skipped"),
    ]  # fmt: skip
    # Two branches at once, in an order that is not the notebook's; neither needs the other.
    command = [sys.executable, "-m", "nbmlops", "run", str(apart), "--only"]
    branches = [subprocess.Popen([*command, name], stdout=subprocess.DEVNULL) for name in ("right", "left")]
    assert [branch.wait() for branch in branches] == [0, 0]
    assert told(run(apart, "last"))[-1] == ("last", "executed")
    assert told(run(apart, "last"))[-1] == ("last", "cached")
    # `right` drew its number without `left` having drawn one before: the closing run mends that, and what hangs on it.
    closed, expected = run(apart), run(whole)
    assert told(closed) == [("first", "cached"), ("left", "cached"), ("right", "executed"), ("last", "executed")]
    assert load_value(apart, closed, "both") == load_value(whole, expected, "both")
    with pytest.raises(UsageError, match="step 'last' needs 'first'"):
        run(apart, "last", parameters={"n": 2})


def test_a_step_takes_what_the_one_before_it_left_even_if_that_is_never_reused(tmp_path: Path) -> None:
    ask = Sketch(
        "ask",
        """
        import http.client
        try:
            http.client.HTTPConnection("127.0.0.1", 9, timeout=1).connect()
        except OSError:
            pass
        x = 1
        """,
        outputs=("x",),
    )
    use = Sketch("use", "y = x + 1", inputs={"x": "ask"}, outputs=("y",))
    folder = write_pipeline(tmp_path, [ask, use])
    events: list[Event] = []
    for _ in range(2):
        run_pipeline(folder, RunOptions(base=tmp_path, only=("ask",)), events.append)
    assert [type(event) for event in events].count(NotCacheable) == 2
    assert told(run(folder, "use")) == [("ask", "cached"), ("use", "executed")]


def test_steps_that_share_a_process_are_one_task(tmp_path: Path) -> None:
    make = Sketch("make", "f = (i for i in [1, 2])", outputs=("f",))
    use = Sketch("use", "y = next(f)", inputs={"f": "make"}, outputs=("y",))
    more = Sketch("more", "z = 1", outputs=("z",))
    folder = write_pipeline(tmp_path, [make, use, more])
    assert told(run(folder, "make")) == [("make", "executed"), ("use", "executed"), ("more", "skipped")]
    assert told(run(folder, "use")) == [("make", "cached"), ("use", "cached"), ("more", "skipped")]
