"""Steps that run at once: with real kernels, through the runner, with the results of notebook order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from nbmlops.pipeline.codec import pipeline_to_yaml, read_pipeline
from nbmlops.pipeline.run_record import RunStatus, StepRecord
from nbmlops.runtime.handover.values import load_value
from nbmlops.runtime.layout import layout_of
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.schedule.events import Event, StepFinished, StepRepeated, StepRetried, StepStarted
from nbmlops.runtime.schedule.results import StepsResult
from tests.integration.test_runtime import RUNNER, Sketch, run, until, write_pipeline

DECIMAL = "import decimal\n"
SLOW_IF_2 = "import time\ntime.sleep(1.5 if n > 1 else 0)\n"


def branches(root: Path, left: str, right: str, *more: Sketch) -> Path:
    """Writes a pipeline of two steps that read nothing of each other; they were run once, for n = 1."""
    sketches = [
        Sketch("left", left, outputs=("x",), parameters=("n",)),
        Sketch("right", right, outputs=("y",), parameters=("n",)),
        *more,
    ]
    folder = write_pipeline(root, sketches, {"n": 1})
    events: list[Event] = []
    assert run(folder, events, jobs=2).status is RunStatus.SUCCEEDED
    assert order(events)[:2] == ["left began", "left over"]  # nobody knows yet what they do
    layout = layout_of(folder, read_pipeline(folder / "pipeline.yaml"))
    cache = StepCache(layout.cache, layout.state)
    for step, seconds in (("left", 2.0), ("right", 1.0)):  # whatever the machine was busy with
        record = cache.latest(step)
        assert record is not None
        cache.set_latest(replace(record, seconds=seconds))
    return folder


def order(events: list[Event]) -> list[str]:
    """Returns what began and what was over, in the order in which the runner told it."""
    told: list[str] = []
    for event in events:
        if isinstance(event, StepStarted):
            told.append(f"{event.step} began")
        elif isinstance(event, StepFinished):
            told.append(f"{event.record.name} over")
    return told


AT_ONCE = ["left began", "right began", "left over", "right over"]
IN_TURN = ["left began", "left over", "right began", "right over"]


def again(folder: Path, n: int = 2, **options: Any) -> tuple[StepsResult, list[Event]]:
    events: list[Event] = []
    return run(folder, events, parameters={"n": n}, **{"jobs": 2, **options}), events


def test_independent_steps_run_at_once_and_leave_what_notebook_order_leaves(tmp_path: Path) -> None:
    join = Sketch("join", "z = [*x, *y]", inputs={"x": "left", "y": "right"}, outputs=("z",))
    left = "x = [random.Random(n).random()]\n" + SLOW_IF_2
    right = "from pathlib import Path\nPath('y.txt').write_text(str(n))\ny = [n]\n"
    folder = branches(tmp_path / "at_once", left, right, join)
    result, events = again(folder)
    assert order(events) == [*AT_ONCE, "join began", "join over"]
    assert [(step.status.value, step.start) for step in result.steps] == [
        ("executed", start) for start in ("cold", "cold", "warm")
    ]
    assert all(step.peak > 10_000_000 for step in result.steps)

    in_turn = write_pipeline(
        tmp_path / "in_turn",
        [
            Sketch("left", left, outputs=("x",), parameters=("n",)),
            Sketch("right", right, outputs=("y",), parameters=("n",)),
            join,
        ],
        {"n": 1},
    )
    expected, events = again(in_turn, jobs=1)
    assert order(events)[:4] == IN_TURN
    assert dict(result.values) == dict(expected.values)
    assert [step.key for step in result.steps] == [step.key for step in expected.steps]
    assert (tmp_path / "at_once" / "y.txt").read_text() == "2"
    assert [step.status.value for step in again(folder)[0].steps] == ["cached"] * 3


@pytest.mark.parametrize(
    ("left", "right", "value"),
    [
        ("random.seed(n)\nx = 0", "y = random.random()", None),
        (f"{DECIMAL}decimal.getcontext().prec = 3\nx = 0", f"{DECIMAL}y = str(decimal.Decimal(n) / 3)", "0.667"),
        ("from pathlib import Path\nPath('a').write_text(str(n))\nx = 0", "y = open('a').read()", "2"),
        ("x = open('a', 'a').write(str(n))", "import glob\ny = sorted(glob.glob('a*'))", ["a"]),
    ],
    ids=["random numbers", "settings", "files", "listings"],
)
def test_steps_that_reach_each_other_keep_their_order(tmp_path: Path, left: str, right: str, value: object) -> None:
    folder = branches(tmp_path, f"{SLOW_IF_2}{left}", right)
    result, events = again(folder)
    assert order(events) == IN_TURN
    if value is None:
        import random

        value = random.Random(2).random()
    assert load_value(folder, result, "y") == value


def test_a_step_that_read_early_what_an_earlier_one_changed_runs_again_and_says_why(tmp_path: Path) -> None:
    left = SLOW_IF_2 + "from pathlib import Path\nPath('a').write_text(str(n))\nx = 0"
    right = "y = open('a').read() if n > 1 else ''"
    folder = branches(tmp_path, left, right)
    result, events = again(folder)
    assert order(events) == ["left began", "right began", "left over", "right began", "right over"]
    repeated = [event for event in events if isinstance(event, StepRepeated)]
    assert repeated == [StepRepeated("right", "file changed: a")]
    assert load_value(folder, result, "y") == "2"
    assert order(again(folder, n=3)[1]) == IN_TURN  # now it is known


def test_a_step_that_may_have_seen_what_a_later_one_did_fails_by_name(tmp_path: Path) -> None:
    left = SLOW_IF_2 + "x = open('a').read() if n > 1 else ''"
    right = "y = open('a', 'w').write(str(n)) if n > 1 else 0"
    folder = branches(tmp_path, left, right)
    (tmp_path / "a").write_text("1")
    result, _ = again(folder)
    assert [step.status.value for step in result.steps] == ["failed", "skipped"]
    assert result.steps[0].error is not None
    assert result.steps[0].error.name == "OrderLost"
    assert "it may have seen a as the later step 'right' left it" in result.steps[0].error.message


FAILS_EARLY = "if n > 1:\n    open('a', 'w').write('half')\n    open('b').close()\ny = n"


def test_what_a_step_left_that_failed_early_is_not_taken_for_the_notebooks(tmp_path: Path) -> None:
    left = f"from pathlib import Path\n{SLOW_IF_2}x = Path('a').exists() if n > 1 else 0\nif n > 1:\n    open('b', 'w')"
    result, events = again(branches(tmp_path, left, FAILS_EARLY))
    assert order(events) == AT_ONCE
    assert [step.status.value for step in result.steps] == ["executed", "failed"]
    assert result.steps[1].error is not None
    assert result.steps[1].error.name == "OrderLost"
    assert "step 'left' may have seen a as it left it when it failed" in result.steps[1].error.message


def test_a_step_that_failed_early_runs_again_where_nobody_saw_what_it_left(tmp_path: Path) -> None:
    left = f"{SLOW_IF_2}x = n\nif n > 1:\n    open('b', 'w')"
    result, events = again(branches(tmp_path, left, FAILS_EARLY))
    assert order(events) == [*AT_ONCE[:3], "right began", "right over"]
    assert [step.status.value for step in result.steps] == ["executed", "executed"]
    assert [event.reason for event in events if isinstance(event, StepRepeated)] == [
        "it failed before its turn (FileNotFoundError)"
    ]


def test_a_branch_that_fails_lets_the_others_end_and_their_results_count_later(tmp_path: Path) -> None:
    left = "from pathlib import Path\nif n > 1 and not Path('mended').exists():\n    raise ValueError('no')\nx = n"
    folder = branches(tmp_path, left, f"{SLOW_IF_2}y = n")
    result, events = again(folder)
    assert order(events) == AT_ONCE[:3]
    assert [step.status.value for step in result.steps] == ["failed", "skipped"]
    assert result.steps[0].error is not None
    assert (result.steps[0].error.name, result.steps[0].error.cell) == ("ValueError", 10)
    (tmp_path / "mended").touch()
    result, _ = again(folder)
    assert [step.status.value for step in result.steps] == ["executed", "cached"]


def test_a_later_branch_that_fails_first_waits_for_its_turn(tmp_path: Path) -> None:
    folder = branches(tmp_path, f"{SLOW_IF_2}x = n", "if n > 1:\n    raise ValueError('no')\ny = n")
    result, events = again(folder)
    assert order(events) == AT_ONCE
    assert [step.status.value for step in result.steps] == ["executed", "failed"]
    assert result.steps[1].error is not None
    assert (result.steps[1].error.name, result.steps[1].error.cell) == ("ValueError", 20)


def test_joined_steps_run_beside_others_and_are_tried_again_as_a_whole(tmp_path: Path) -> None:
    left = "x = (i * n for i in range(3))"
    use = """
    from pathlib import Path
    tries = int(Path("tries").read_text()) if Path("tries").exists() else 0
    Path("tries").write_text(str(tries + 1))
    if n > 1 and tries == 1:
        raise OSError("the line is busy")
    z = list(x)
    """
    sketches = [
        Sketch("left", left, outputs=("x",), parameters=("n",)),
        Sketch("use", use, inputs={"x": "left"}, outputs=("z",), parameters=("n",)),
        Sketch("right", f"{SLOW_IF_2}y = n", outputs=("y",), parameters=("n",)),
    ]
    folder = write_pipeline(tmp_path, sketches, {"n": 1})
    pipeline = read_pipeline(folder / "pipeline.yaml")
    steps = tuple(replace(step, retries=2 if step.name == "use" else 1) for step in pipeline.steps)
    (folder / "pipeline.yaml").write_bytes(pipeline_to_yaml(replace(pipeline, steps=steps), {}))
    assert run(folder, jobs=2).status is RunStatus.SUCCEEDED
    waits: list[float] = []
    result, events = again(folder, sleep=waits.append)
    assert set(order(events)[:2]) == {
        "left began",
        "right began",
    }  # which of them is more urgent depends on their times
    assert [step.status.value for step in result.steps] == ["executed"] * 3
    assert (load_value(folder, result, "z"), load_value(folder, result, "y")) == ([0, 2, 4], 2)
    assert [joined.steps for joined in result.joined] == [("left", "use")]
    told = [(event.step, event.tries, event.most) for event in events if isinstance(event, StepRetried)]
    assert told == [("use", 1, 2)]


def test_a_time_limit_ends_the_step_that_it_is_of(tmp_path: Path) -> None:
    folder = branches(tmp_path, "import time\ntime.sleep(60 if n > 1 else 0)\nx = n", f"{SLOW_IF_2}y = n")
    pipeline = read_pipeline(folder / "pipeline.yaml")
    steps = (replace(pipeline.steps[0], timeout=3.0), pipeline.steps[1])
    (folder / "pipeline.yaml").write_bytes(pipeline_to_yaml(replace(pipeline, steps=steps), {}))
    result, _ = again(folder)
    assert [(step.status.value, step.error.name if step.error else "") for step in result.steps] == [
        ("failed", "Timeout"),
        ("skipped", ""),
    ]


def test_steps_run_at_once_only_within_the_memory_they_took(tmp_path: Path) -> None:
    folder = branches(tmp_path, "x = n", "y = n")
    assert order(again(folder, memory=1 << 20)[1]) == IN_TURN
    assert sorted(order(again(folder, n=3, memory=1 << 40)[1])[:2]) == ["left began", "right began"]


BRANCHING = [
    (["parameters"], "n = 1"),
    (["imports"], "import numpy as np\nimport matplotlib.pyplot as plt"),
    (["step:load"], "rows = np.arange(20) * n"),
    (["step:left"], "left = float(np.sin(rows).sum())\nplt.plot(rows);"),
    (["step:right"], "right = np.linalg.svd(np.outer(rows, rows) + np.eye(20), compute_uv=False)\nplt.plot(right);"),
    (["step:join"], "both = {'left': left, 'right': right, 'same': rows}"),
]


def shown(root: Path, step: StepRecord) -> list[object]:
    """What the cells of an executed step showed."""
    cells = json.loads((root / step.notebook).read_text())["cells"]
    return [cell["outputs"] for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.slow
def test_branches_of_a_notebook_leave_the_same_bytes_as_one_after_the_other(
    tmp_path: Path, notebook: Callable[..., None]
) -> None:
    notebook(tmp_path / "branching.ipynb", *BRANCHING)
    (tmp_path / "nbmlops.toml").touch()
    subprocess.run([sys.executable, "-m", "nbmlops", "compile", "branching.ipynb"], cwd=tmp_path, check=True)
    folder = tmp_path / "pipelines" / "branching"
    assert run(folder, jobs=2).status is RunStatus.SUCCEEDED
    result, events = again(folder)
    assert sorted(order(events)[2:4]) == ["left began", "right began"]  # though both plot
    expected, events = again(folder, jobs=1, force=True)
    assert order(events)[2:4] == ["left began", "left over"]
    assert dict(result.values) == dict(expected.values)
    assert [shown(tmp_path, step) for step in result.steps] == [shown(tmp_path, step) for step in expected.steps]
    assert ["image/png" in str(shown(tmp_path, step)) for step in result.steps] == [False, True, True, False]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_runner_that_is_stopped_with_two_at_work(tmp_path: Path, number: signal.Signals) -> None:
    body = "import os, time\nfrom pathlib import Path\nPath('{0}.pid').write_text(str(os.getpid()))\n"
    body += "time.sleep(60 if n > 1 else 0)\n{0} = n"
    folder = branches(tmp_path, body.format("x"), body.format("y"))
    pids = [tmp_path / "x.pid", tmp_path / "y.pid"]
    for path in pids:
        path.unlink()
    program = RUNNER.replace("RunOptions()", "RunOptions(jobs=2, parameters={'n': 2})")
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        until(lambda: all(path.exists() and path.read_text() != "" for path in pids))
        kernels = [int(path.read_text()) for path in pids]
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=30)
    if number != signal.SIGKILL:
        assert (out.splitlines()[-1], err) == (f"interrupted {number.name} ['skipped', 'skipped']", "")
    until(lambda: not any(Path(f"/proc/{kernel}").exists() for kernel in kernels))
