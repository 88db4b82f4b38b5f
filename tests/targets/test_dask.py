"""`--executor dask`: steps on a Dask cluster of processes give what a local run gives, also when a worker is killed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import pytest
from msgspec import Struct
from msgspec.structs import replace
from nbformat import v4

from nbmlops.app.running.elsewhere import execute_elsewhere
from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.codec import pipeline_to_yaml, read_pipeline
from nbmlops.pipeline.demands import Resources
from nbmlops.runtime.schedule.results import RunOptions
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


class Cluster(Struct):
    """A scheduler and workers in processes of their own."""

    address: str
    processes: list[subprocess.Popen[bytes]]

    def run(self, folder: Path, *arguments: str) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
        shared = str(folder.parent.parent.parent / "shared")
        return run(folder, "--store", shared, "--executor", f"dask://{self.address}", *arguments)


@contextmanager
def cluster(folder: Path, projects: list[Path], resources: tuple[str, ...] = (), **variables: str) -> Iterator[Cluster]:
    """Yields a cluster with a worker for each of the projects, the last of them with these resources."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, **variables: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
        started.append(subprocess.Popen([sys.executable, *arguments], cwd=folder, env=environment))

    place = Path(tempfile.mkdtemp(dir=folder)) / "scheduler.json"
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
            given = resources if project is projects[-1] else ()
            start("-c", WORKER, str(place), *given, **{"NBMLOPS_PROJECT": str(project), **variables})
        yield Cluster(json.loads(place.read_text())["address"].removeprefix("tcp://"), started)
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
    has = {kind: 1.0 for kind in sys.argv[2:]}
    place = {"scheduler_file": sys.argv[1], "host": "127.0.0.1", "dashboard_address": None}
    async with Worker(nthreads=1, resources=has or None, **place) as worker:
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
    with cluster(tmp_path, [folder.parent.parent for folder in theirs]) as there:
        code, document, events = there.run(mine)
    assert (code, elsewhere(events)) == (0, dict.fromkeys(["first", "left", "right", "last"], True))
    assert [step["status"] for step in document["steps"]] == ["cached"] * 4
    assert (tmp_path / "killed").exists()
    assert results(mine) == results(local)


def test_a_worker_that_is_killed_while_its_step_writes_leaves_what_the_next_one_writes(tmp_path: Path) -> None:
    writes = Sketch(
        "left",
        """
        import os, pathlib, signal, time
        mark = pathlib.Path.cwd().parent / "killed"
        file = open("half.txt", "w")
        file.write("half")
        file.flush()
        if not mark.exists():
            mark.write_text("")
            os.kill(int(os.environ["NBMLOPS_TEST_WORKER"]), signal.SIGKILL)
            time.sleep(60)
        file.write(" and whole")
        file.close()
        y = sorted(x)
        """,
        inputs={"x": "first"},
        outputs=("y",),
    )
    folder = write_pipeline(tmp_path / "mine", [FIRST, writes], {"n": 1})
    with cluster(tmp_path, [tmp_path / "mine"] * 2) as there:
        code, document, events = there.run(folder)
    assert (code, elsewhere(events)) == (0, {"first": True, "left": True})
    assert ([step["status"] for step in document["steps"]], (tmp_path / "killed").exists()) == (["cached"] * 2, True)
    assert (tmp_path / "mine/half.txt").read_text() == "half and whole"


def test_a_scheduler_that_goes_away_ends_the_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    waits = Sketch(
        "left",
        """
        import os, pathlib, time
        (pathlib.Path.cwd().parent / "begun").write_text(str(os.getpid()))
        while not (pathlib.Path.cwd().parent / "go").exists():
            time.sleep(0.05)
        y = sorted(x)
        """,
        inputs={"x": "first"},
        outputs=("y",),
    )
    folder = write_pipeline(tmp_path / "mine", [FIRST, waits], {"n": 1})
    with cluster(tmp_path, [tmp_path / "mine"]) as there:

        def end_when_begun() -> None:
            while not (tmp_path / "begun").exists():
                time.sleep(0.05)
            there.processes[0].kill()

        thread = threading.Thread(target=end_when_begun)
        thread.start()
        code, document, events = there.run(folder)
        thread.join()
        assert (code, elsewhere(events)) == (4, {"first": True})
        assert f"the Dask scheduler at tcp://{there.address} is gone" in document["diagnostics"][0]["message"]
    step = Path(f"/proc/{(tmp_path / 'begun').read_text()}")
    end = time.monotonic() + 30
    while step.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not step.exists()  # it went with its worker
    (tmp_path / "go").write_text("")
    code, document, _ = run(folder)
    assert (code, [step["status"] for step in document["steps"]]) == (0, ["cached", "executed"])


def test_a_worker_with_another_version_of_a_library_is_refused(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "mine", [FIRST], {"n": 1})
    (folder / "requirements.lock").write_text("click==0.0.1\n")
    (tmp_path / "other/click-0.0.1.dist-info").mkdir(parents=True)
    with cluster(tmp_path, [tmp_path / "mine"], PYTHONPATH=f"{tmp_path / 'other'}:{ROOT}") as there:
        code, document, events = there.run(folder)
    message = document["diagnostics"][0]["message"]
    assert (code, elsewhere(events)) == (4, {})
    assert message.endswith(f"has another environment: click 0.0.1 instead of {version('click')}")


def test_steps_go_to_workers_that_declare_what_they_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_pipeline(tmp_path / "mine", [FIRST, RIGHT], {"n": 1})
    pipeline = read_pipeline(folder / "pipeline.yaml")
    wants = Resources(cpu=0.5, memory="1GiB", gpu=1)
    steps = tuple(replace(step, resources=wants) if step.name == "right" else step for step in pipeline.steps)
    (folder / "pipeline.yaml").write_bytes(pipeline_to_yaml(replace(pipeline, steps=steps), {}))
    with cluster(tmp_path, [tmp_path / "mine"] * 2) as there:
        code, document, _ = there.run(folder)
    told = "step 'right' needs a graphics card, and no worker of the cluster declares one"
    assert (code, document["diagnostics"][0]["message"]) == (4, told)
    with cluster(tmp_path, [tmp_path / "mine", tmp_path / "mine" / "."], resources=("GPU",)) as there:
        code, _, events = there.run(folder)
    assert (code, elsewhere(events)) == (0, {"first": True, "right": True})
    # A cluster without workers is not waited for in silence.
    monkeypatch.setattr("nbmlops.runtime.executors.dask._PATIENCE", 1.0)
    with cluster(tmp_path, []) as there:
        options = RunOptions(store=(tmp_path / "none").as_uri(), force=True)
        with pytest.raises(EnvironmentFault, match=r"has no worker, and got none in 1 seconds"):
            execute_elsewhere(folder, options, f"dask://{there.address}", lambda _: None)


AMBIENT = """
    import pandas
    y = [numpy.random.rand() for _ in range(3)]
    shown = str(pandas.Series([1 / 3]))
    pandas.options.display.precision = PRECISION
    print(NAME, file=open("log.txt", "a"))
"""


def test_steps_that_share_more_than_values_keep_their_order_on_a_cluster(tmp_path: Path) -> None:
    def sketch(name: str, precision: int) -> Sketch:
        body = AMBIENT.replace("PRECISION", str(precision)).replace("NAME", repr(name)).replace("y =", f"{name}_y =")
        outputs = (f"{name}_y", f"{name}_shown")
        return Sketch(name, body.replace("shown", outputs[1]), outputs=outputs, imports="import numpy")

    seed = Sketch("seed", "numpy.random.seed(n)", parameters=("n",), imports="import numpy")
    sketches = [seed, sketch("left", 2), sketch("right", 4), Sketch("free", "z = 1", outputs=("z",))]
    here, there = (write_pipeline(tmp_path / name, sketches, {"n": 3}) for name in ("here", "there"))
    for more in ([], ["--force"]):
        assert run(here, *more)[0] == 0
        code, document, events = run(there, "--executor", "dask", *more)
        assert (code, [step["status"] for step in document["steps"]]) == (0, ["cached"] * 4)
        assert results(there) == results(here)
        assert (tmp_path / "there/log.txt").read_text() == (tmp_path / "here/log.txt").read_text()
        assert len(elsewhere(events)) == 4


def sweep_project(root: Path) -> Path:
    cells = [
        ("parameters", "depth = 3\nn = 4"),
        ("step:load", "import numpy as np\nnp.random.seed(n)\nrows = np.random.rand(100)"),
        ("step:train", "model = rows[:depth] + np.random.rand()"),
        ("step:evaluate", "score = float(model.sum())\nassert depth < 50\n%mlops metric score"),
        ("gate", "%mlops gate"),
    ]
    notebook = v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}})
    notebook.cells = [v4.new_code_cell(source, metadata={"tags": [tag]}) for tag, source in cells]
    root.mkdir()
    nbformat.write(notebook, root / "sweep.ipynb")
    rule = '[[gate.rules]]\nname = "floor"\nmetric = "score"\nmin = 0.1\ndirection = "higher"\nreason = "so"\n'
    (root / "nbmlops.toml").write_text(rule)
    nbmlops(root, "compile", "sweep.ipynb")
    return root / "pipelines/sweep"


def sweep(folder: Path, *arguments: str) -> tuple[int, dict[str, Any], list[str]]:
    command = [sys.executable, "-m", "nbmlops", "run", str(folder), "--format", "json", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    root = folder.parent.parent
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=900)
    return done.returncode, json.loads(done.stdout), done.stderr.splitlines()


def test_a_sweep_on_a_cluster_gives_what_one_on_this_machine_gives(tmp_path: Path) -> None:
    here, there = (sweep_project(tmp_path / name) for name in ("here", "there"))
    options = ("-p", "depth=3,5,8")
    expected, own, _ = sweep(here, *options)
    code, found, told = sweep(there, *options, "--executor", "dask")
    assert (code, expected) == (0, 0)
    points = [
        [(point["parameters"], point["status"], point["metrics"]) for point in document["points"]]
        for document in (found, own)
    ]
    assert points[0] == points[1]
    assert [found["run"][key] for key in ("metrics", "verdict", "status")] == [
        own["run"][key] for key in ("metrics", "verdict", "status")
    ]
    # What the points have in common was executed once: in the first one, and found by the others.
    done = [sum(line.startswith(f"{step}: done") for line in told) for step in ("load", "train", "evaluate")]
    assert done == [2, 3, 3]
    with closing(sqlite3.connect(tmp_path / "there/mlflow.db")) as store:
        parents = dict(store.execute("select run_uuid, value from tags where key = 'mlflow.parentRunId'").fetchall())
    children = [parents[point["run_id"]] for point in found["points"]]
    assert (children, len({point["run_id"] for point in found["points"]})) == ([found["run_id"]] * 3, 3)
    # Known now: all points at once. One of them fails: it is told, and nothing is judged.
    code, found, told = sweep(there, "-p", "depth=12,60", "--executor", "dask")
    assert (code, [point["status"] for point in found["points"]]) == (1, ["succeeded", "failed"])
    assert found["points"][1]["error"].startswith("step 'evaluate' failed on a worker: AssertionError")
    assert (found["run"], sum(line.startswith("load: done") for line in told)) == (None, 1)


def test_the_flight_example_on_a_cluster_gives_what_a_local_run_gives(tmp_path: Path) -> None:
    local, apart = project(tmp_path / "local"), project(tmp_path / "apart")
    nbmlops(local, "run", FOLDER)
    nbmlops(apart, "run", FOLDER, "--executor", "dask")
    assert engine_results(apart) == engine_results(local)
