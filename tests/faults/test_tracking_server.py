"""A tracking server that is down, hangs, dies and comes back: no cell waits, nothing is lost, doubled or mixed up."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbmlops.app.project import SPOOLS
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.spool import find_spools
from nbmlops.tracking.tracker import RunState
from tests.faults.shells import Ran, Shell

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be stopped and go on there"),
]

MOST = 2.0
"""Seconds that tell a cell that waits for a server, at least 4, from one that does not, on a busy machine."""


class Server:
    """`mlflow server` on a port of this machine, over a SQLite file."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        store = f"sqlite:///{self._folder}/server.db"
        options = ["--backend-store-uri", store, "--default-artifact-root", str(self._folder / "artifacts")]
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *options, *place],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        )
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the server did not start")

    def tell(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def stop(self) -> None:
        if self._process is not None:
            self.tell(signal.SIGKILL)
            self._process.wait()
        self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def shell(tmp_path: Path, server: Server) -> Iterator[Shell]:
    folder = tmp_path / "project"
    folder.mkdir()
    shell = Shell(folder, MLFLOW_TRACKING_URI=server.uri)
    yield shell
    shell.kill()


def test_a_server_that_comes_and_goes(shell: Shell, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Down at the start, up, hanging, killed, up again, hanging when the kernel dies; then `nbmlops sync`."""
    project = tmp_path / "project"
    first = shell.run("%mlops track --name line --experiment demo")
    logged = [log(shell, 1)]
    assert "cannot be reached" in told(shell, first, logged[0])
    server.start()
    shell.run("import nbmlops.app.session.current as s; s.current_session()._store._outbox.settle(60)", silent=True)
    run_id = shell.value("s.current_session()._store.title.run_id")
    logged.append(log(shell, 2))
    server.tell(signal.SIGSTOP)
    logged += [log(shell, 3), log(shell, 4)]
    server.tell(signal.SIGCONT)
    logged.append(log(shell, 5))
    server.stop()
    logged += [log(shell, 6), log(shell, 7)]
    server.start()
    shell.run("s.current_session()._store._outbox.settle(60)", silent=True)
    assert shell.value("s.current_session()._store._outbox.waiting") == 0
    server.tell(signal.SIGSTOP)
    logged.append(log(shell, 8))
    remote = shell.value("s.current_session()._store._stores._process._child.process.pid")
    shell.kill()
    os.kill(remote, signal.SIGKILL)  # it would send the rest when the server is back
    server.tell(signal.SIGCONT)

    assert [ran.error for ran in (first, *logged)] == [""] * 9
    assert max(ran.seconds for ran in logged) < MOST
    assert len(find_spools(project / SPOOLS)) == 1
    monkeypatch.chdir(project)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    subprocess.run([sys.executable, "-m", "nbmlops", "sync"], check=True, capture_output=True)
    assert find_spools(project / SPOOLS) == ()
    tracker = MlflowTracker(server.uri, project)
    history = tracker._client.get_metric_history(run_id, "auc")
    assert [metric.value for metric in history] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [metric.timestamp for metric in history] == sorted(metric.timestamp for metric in history)
    run = tracker.run_facts(run_id)
    assert (run.state, run.params) == (RunState.KILLED, {f"p{number}": str(number) for number in range(1, 9)})
    experiment = tracker._client.get_experiment_by_name("demo")
    assert len(tracker._client.search_runs([experiment.experiment_id])) == 1


def log(shell: Shell, number: int) -> Ran:
    """Returns what became of a cell that logs a metric and a parameter."""
    return shell.run(f"%mlops metric auc = {number}\n%mlops param p{number} {number}")


def told(shell: Shell, *ran: Ran) -> str:
    """Returns what cells say, those that ran and more of them until a warning stands below one."""
    said = "".join(one.output for one in ran)
    end = time.monotonic() + 60
    while "Warning" not in said and time.monotonic() < end:
        time.sleep(0.1)
        said += shell.run("pass").output
    return said
