"""`--executor dask`: steps on a Dask cluster of processes give what a local run gives, also when a worker is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_runtime import Sketch, write_pipeline
from tests.targets.test_engines import FOLDER, nbmlops, project
from tests.targets.test_engines import results as engine_results

pytestmark = [pytest.mark.targets, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
FIRST = Sketch("first", "random.seed(n)\nx = [random.random() for _ in range(3)]", outputs=("x",), parameters=("n",))
RIGHT = Sketch("right", "z = max(x)", inputs={"x": "first"}, outputs=("z",))
LAST = Sketch("last", "both = (y, z)", inputs={"y": "left", "z": "right"}, outputs=("both",))
# Kills the worker that executes it, the first time: its parent is the kernel's, and so on up to the worker's process.
DEADLY = Sketch(
    "left",
    """
    import os, pathlib, signal, time
    mark = pathlib.Path.cwd().parent / "killed"
    if not mark.exists():
        mark.write_text("")
        os.kill(int(os.environ["NBMLOPS_TEST_WORKER"]), signal.SIGKILL)
        time.sleep(60)
    y = sorted(x)
    """,
    inputs={"x": "first"},
    outputs=("y",),
)


def run(folder: Path, *arguments: str, **variables: str) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    events = folder.parent / "events.jsonl"
    command = [sys.executable, "-m", "nbmlops", "run", str(folder), "--format", "json", "--events", str(events)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder.parent.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    print(done.stderr)  # noqa: T201 - pytest shows it when a test fails
    return done.returncode, json.loads(done.stdout), [json.loads(line) for line in events.read_text().splitlines()]


def results(folder: Path) -> dict[str, Any]:
    found = {}
    for path in sorted((folder.parent.parent / ".nbmlops/state/tiny").glob("*.json")):
        (record,) = json.loads(path.read_text())["records"]
        found[record["step"]] = (record["key"], record["outcome"]["values"], record["libraries"])
    return found


def elsewhere(events: list[dict[str, Any]]) -> dict[str, bool]:
    return {event["step"]: event["succeeded"] for event in events if event["event"] == "step.done_elsewhere"}


@contextmanager
def cluster(folder: Path, projects: list[Path]) -> Iterator[str]:
    """A scheduler and workers in processes of their own, each with a project of its own; yields its address."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, **variables: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
        started.append(subprocess.Popen([sys.executable, *arguments], cwd=folder, env=environment))

    place = folder / "scheduler.json"
    start(
        "-m",
        "distributed.cli.dask_scheduler",
        "--port=0",
        "--no-dashboard",
        f"--scheduler-file={place}",
        "--host=127.0.0.1",
    )
    try:
        while not (place.is_file() and place.read_text()):
            assert started[0].poll() is None
            time.sleep(0.1)
        for project in projects:
            start("-c", WORKER, str(place), NBMLOPS_PROJECT=str(project))
        yield json.loads(place.read_text())["address"].removeprefix("tcp://")
    finally:
        for process in started:
            process.kill()
            process.wait()


# A worker without a nanny that would start it again: killed is killed.
WORKER = """
import asyncio, os, sys
from distributed import Worker

async def main():
    os.environ["NBMLOPS_TEST_WORKER"] = str(os.getpid())
    async with Worker(scheduler_file=sys.argv[1], nthreads=1, host="127.0.0.1", dashboard_address=None) as worker:
        await worker.finished()

asyncio.run(main())
"""


def test_workers_with_projects_of_their_own_share_the_store_and_one_of_them_is_killed(tmp_path: Path) -> None:
    sketches = [FIRST, DEADLY, RIGHT, LAST]
    roots = [tmp_path / name for name in ("mine", "theirs", "others", "local")]
    mine, *theirs, local = (write_pipeline(root, sketches, {"n": 1}) for root in roots)
    (tmp_path / "killed").write_text("")
    assert run(local)[0] == 0
    (tmp_path / "killed").unlink()
    code, document, _ = run(mine, "--executor", "dask://127.0.0.1:1")
    assert (code, "share with this machine" in document["diagnostics"][0]["message"]) == (2, True)
    # The caller's own folder is not there for the workers.
    with cluster(tmp_path, [folder.parent.parent for folder in theirs]) as address:
        options = ("--store", str(tmp_path / "shared"), "--executor", f"dask://{address}")
        code, document, events = run(mine, *options)
    assert (code, elsewhere(events)) == (0, dict.fromkeys(["first", "left", "right", "last"], True))
    assert [step["status"] for step in document["steps"]] == ["cached"] * 4
    assert (tmp_path / "killed").exists()
    assert results(mine) == results(local)


def test_the_flight_example_on_a_cluster_gives_what_a_local_run_gives(tmp_path: Path) -> None:
    local, apart = project(tmp_path / "local"), project(tmp_path / "apart")
    nbmlops(local, "run", FOLDER)
    nbmlops(apart, "run", FOLDER, "--executor", "dask")
    assert engine_results(apart) == engine_results(local)
