"""Row 13 of the catalogue: the runner is killed at random points; the next run goes on, and ends as if undisturbed."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from blake3 import blake3

from nbmlops.app.leftovers import killed_runs
from nbmlops.pipeline.run_codec import run_from_json
from nbmlops.pipeline.run_record import RunStatus, StepStatus
from nbmlops.runtime.schedule.events import FormerRunKilled
from nbmlops.runtime.schedule.results import StepsResult

ROUNDS = int(os.environ.get("NBMLOPS_SOAK", "3"))
"""How often it is killed; `make soak` makes it 200."""
SAMPLE = 20
"""Every so many rounds the result is also compared with that of a project in which nothing was ever killed."""
TAG = "NBMLOPS_TEST_TAG"

RUNNER = """
import sys
from pathlib import Path
from nbmlops.runtime.schedule.events import StepFinished, StepStarted
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.runner import run_pipeline

def tell(event):
    if isinstance(event, StepStarted | StepFinished):
        name = event.step if isinstance(event, StepStarted) else event.record.name
        print(type(event).__name__, name, flush=True)

print("begins", flush=True)
run_pipeline(Path(sys.argv[1]), RunOptions(base=Path(sys.argv[1]), parameters={"n": int(sys.argv[2])}), tell)
"""


def values(result: StepsResult) -> dict[str, str]:
    return {name: value.ref.digest for name, value in result.values.items()}


def check_files(root: Path) -> None:
    """Every document can be read, and every object of the store is what its name says."""
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if any(part.startswith(".nbmlops-") for part in parts) or path.is_dir():
            continue  # the scratch folder of a step
        if path.suffix in {".ipynb", ".json"}:
            json.loads(path.read_bytes())
        elif ".nbmlops" in parts and "store" in parts and not path.name.startswith("."):
            assert blake3(path.read_bytes()).hexdigest() == path.parent.name + path.name


def tagged(tag: str) -> list[int]:
    """Returns the processes that were started with the tag in their environment, or by one that was."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            is_ours = folder.name.isdigit() and f"{TAG}={tag}".encode() in (folder / "environ").read_bytes().split(
                b"\0"
            )
            is_over = is_ours and (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue  # it has ended meanwhile
        found += [int(folder.name)] if is_ours and not is_over else []
    return found


def killed_after(seconds: float, folder: Path, n: int) -> tuple[list[str], bool]:
    """Returns what a run told until it was killed after so many seconds of running, and whether it was."""
    tag = f"{os.getpid()}-{n}"
    command = [sys.executable, "-c", RUNNER, str(folder), str(n)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, TAG: tag}) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == "begins\n"
        try:
            runner.wait(seconds)
        except subprocess.TimeoutExpired:
            runner.kill()
        told = runner.stdout.read().splitlines()
        runner.wait()
    end = time.monotonic() + 10
    while tagged(tag) and time.monotonic() < end:
        time.sleep(0.02)
    assert tagged(tag) == []
    return told, runner.returncode < 0


@pytest.mark.slow
def test_a_run_that_is_killed_anywhere_loses_nothing(tmp_path: Path, tiny: ModuleType) -> None:
    steps = [
        tiny.Sketch("make", "rows = list(range(n, n + 10_000))", outputs=("rows",), parameters=("n",)),
        tiny.Sketch("half", "half = [row / 2 for row in rows]", inputs={"rows": "make"}, outputs=("half",)),
        tiny.Sketch("total", "total = sum(half)", inputs={"half": "half"}, outputs=("total",)),
    ]
    folder = tiny.write_pipeline(tmp_path / "killed", steps, {"n": 0})
    undisturbed = tiny.write_pipeline(tmp_path / "undisturbed", steps, {"n": 0})
    begun = time.monotonic()
    assert killed_after(60.0, undisturbed, -1)[1] is False
    longest = time.monotonic() - begun
    chance, seen = random.Random(1), {"killed": 0, "marked": 0, "steps kept": 0}
    for n in itertools.count():
        if seen["killed"] == ROUNDS:  # some end before they are killed
            break
        told, was_killed = killed_after(chance.uniform(0.0, longest), folder, n)
        check_files(tmp_path / "killed")
        left = list(killed_runs(tmp_path / "killed", []))
        events: list[Any] = []
        again = tiny.run(folder, events, parameters={"n": n})
        assert again.status is RunStatus.SUCCEEDED
        total = sum(row / 2 for row in range(n, n + 10_000))
        assert tiny.load_value(folder, again, "total") == total
        finished = [line.split()[1] for line in told if line.startswith("StepFinished")]
        reused = [step.name for step in again.steps if step.status is StepStatus.CACHED]
        assert reused[: len(finished)] == finished
        marked = [event.run for event in events if isinstance(event, FormerRunKilled)]
        assert len(left) == len(marked)
        # Between the last step and the end of the process there is nothing left to lose.
        assert marked or not was_killed or not told or finished[-1:] == ["total"]
        for run in marked:
            document = tmp_path / "killed" / "runs" / "tiny" / run / "run.json"
            record = run_from_json(json.loads(document.read_bytes()))
            kept = [step.name for step in record.steps if step.status is StepStatus.EXECUTED]
            assert (record.status, record.parameters) == (RunStatus.KILLED, {"n": n})
            assert kept[: len(finished)] == finished
        if n % SAMPLE == 0:
            assert values(again) == values(tiny.run(undisturbed, parameters={"n": n}))
        seen["killed"] += was_killed
        seen["marked"] += len(marked)
        seen["steps kept"] += len(reused) if was_killed else 0
    print(seen)  # noqa: T201 - the figures of `make soak`
    check_files(tmp_path / "killed")
    assert not list((tmp_path / "killed" / ".nbmlops").rglob("run.begun"))
