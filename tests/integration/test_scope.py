"""The scope of a notebook's run, in real kernels: paused, gone on with after a restart, ended by SIGKILL."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager

from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.tracker import RunFacts, RunQuery, RunState

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LONG = 120.0
TRACK = "%load_ext nbmlops\n%mlops track --notebook line.ipynb"
Run = Callable[[str], str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("project")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(TRACK)])
    (folder / "line.ipynb").write_text(nbformat.writes(notebook))
    (folder / "nbmlops.toml").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        yield folder


@contextmanager
def kernel(project: Path) -> Iterator[tuple[KernelManager, Run]]:
    """A kernel as a front end has it; `run` executes a cell and returns what it shows, or raises what it raised."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(project))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(LONG)

    def run(source: str) -> str:
        shown: list[str] = []

        def hear(message: dict[str, dict[str, object]]) -> None:
            content = message["content"]
            data = content.get("data")
            shown.append(str(content.get("text") or (data.get("text/plain") if isinstance(data, dict) else "") or ""))

        reply = client.execute_interactive(source, timeout=LONG, output_hook=hear)["content"]
        if reply["status"] != "ok":
            raise AssertionError(f"{reply['ename']}: {reply['evalue']}")
        return "".join(shown)

    try:
        yield manager, run
    finally:
        client.stop_channels()
        if manager.is_alive():
            manager.shutdown_kernel()
        manager.cleanup_resources()


def runs(project: Path) -> list[RunFacts]:
    """Returns all runs, the oldest first."""
    found = MlflowTracker("sqlite:///mlflow.db", project).find_runs(RunQuery(("line",)))
    return sorted(found, key=lambda one: one.started)


def cells(project: Path, run_id: str) -> list[str]:
    """Returns how the cells ended that a run has recorded, in order."""
    document = MlflowTracker("sqlite:///mlflow.db", project).read_document(run_id, "nbmlops/cells.json")
    assert document is not None
    kept = json.loads(json.dumps(document["runs"]))
    return [run["outcome"] for run in kept]


def wait_for(state: RunState, project: Path) -> RunFacts:
    """Returns the newest run when it is in a state."""
    end = time.monotonic() + LONG
    while (found := runs(project)[-1]).state is not state and time.monotonic() < end:
        time.sleep(0.2)
    assert found.state is state
    return found


def test_pause_rerun_restart_and_kill(project: Path):
    with kernel(project) as (manager, run):
        run(TRACK)
        run("import nbmlops\nnbmlops.param('depth', 3)\nnbmlops.metric('auc', 0.5)")
        assert "PAUSED" in run("%mlops track --pause")
        run("x = 1\nnbmlops.metric('auc', 0.9)\nopen('unseen.csv', 'w').write('1')")
        status = run("%mlops status")
        assert "paused: neither cells nor values are recorded" in status
        assert "1 value was logged while the run was paused, and left out" in status
        with pytest.raises(AssertionError, match="the run is paused"):
            run("%mlops gate")
        run(TRACK)  # goes on, and starts no second run
        run("nbmlops.metric('auc', 0.6)")
        manager.shutdown_kernel(now=False)  # what a front end's "restart" does first
    first = wait_for(RunState.FINISHED, project)
    assert (first.params, first.metrics) == ({"depth": "3"}, {"auc": 0.6})
    recorded = cells(project, first.run_id)
    assert recorded == ["done"] * 4  # track, param, track again, metric: nothing of the pause

    with kernel(project) as (manager, run):
        shown = run("%load_ext nbmlops\n%mlops track --notebook line.ipynb --resume")
        assert first.run_id in shown
        assert "auc" in shown
        with pytest.raises(AssertionError, match="depth is 5 now, but this run logged '3'"):
            run("import nbmlops\nnbmlops.param('depth', 5)")
        run("nbmlops.param('depth', 3)\nnbmlops.metric('f1', 0.25)")
        assert runs(project)[-1].state is RunState.RUNNING
        assert manager.provisioner is not None
        os.kill(manager.provisioner.process.pid, signal.SIGKILL)
        second = wait_for(RunState.KILLED, project)
    assert [one.run_id for one in runs(project)] == [first.run_id]
    assert (second.params, second.metrics) == ({"depth": "3"}, {"auc": 0.6, "f1": 0.25})
    assert cells(project, first.run_id) == [*recorded, "done", "failed", "done"]

    with kernel(project) as (_, run):  # a run that was killed can be gone on with, too; `track` alone starts a new one
        assert first.run_id in run("%load_ext nbmlops\n%mlops track --notebook line.ipynb --resume")
        assert "FINISHED" in run("%mlops track --stop")
        assert first.run_id not in run("%mlops track --notebook line.ipynb")
        with kernel(project) as (_, other), pytest.raises(AssertionError, match="still recorded by another kernel"):
            other("%load_ext nbmlops\n%mlops track --notebook line.ipynb --resume")
        run("%mlops track --stop")
    assert [one.state for one in runs(project)] == [RunState.FINISHED, RunState.FINISHED]
