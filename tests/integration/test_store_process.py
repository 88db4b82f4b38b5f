"""The process that speaks to the stores for a kernel: real processes, a real store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbmlops.app.project import SPOOLS
from nbmlops.app.session.store_process import NotToldError, RemoteStores, StoreProcess
from nbmlops.core.errors import StoreAway, UsageError
from nbmlops.gate.verdict import Verdict
from nbmlops.pipeline.run_record import Lineage, MetricValue, StepLog
from nbmlops.registry.registry import Candidate
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.spool import find_spools
from nbmlops.tracking.tracker import RunStart, RunState

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
URI = "sqlite:///mlflow.db"
# A kernel that dies, whose user has forked a process that has all its pipes.
KERNEL = """
import os, signal, sys, time
import nbmlops
from nbmlops.app.session.current import current_session
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "nbmlops")
shell.run_cell("import nbmlops; status = nbmlops.track(name='line')", store_history=True).raise_error()
status = shell.user_ns["status"]
heavy = sorted({"mlflow", "pandas", "sqlalchemy"} & set(sys.modules))
forked = os.fork()
if not forked:
    os.closerange(0, 3)
    with open("forked.txt", "w") as told:
        told.write(str(current_session()))
    time.sleep(300)
shell.run_cell("import nbmlops; nbmlops.metric('auc', 0.5)", store_history=True).raise_error()
remote = current_session()._store._stores._process._child.process.pid
print(status.run_id, forked, remote, *heavy, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "nbmlops.toml").write_text("")
    return folder


@pytest.fixture(scope="module")
def stores(root: Path) -> Iterator[RemoteStores]:
    stores = RemoteStores(root, f"sqlite:///{root}/mlflow.db")
    yield stores
    stores.close()


def process_of(stores: RemoteStores) -> subprocess.Popen[bytes]:
    child = stores._process._child
    assert child is not None
    return child.process


def test_what_is_asked_there_is_answered_as_here(stores: RemoteStores, root: Path) -> None:
    facts = stores.tracker.start_run(RunStart("demo", "line", at=1_000))
    stores.tracker.log_step(facts.run_id, StepLog({"depth": 3}, (MetricValue("auc", 0.5),)), at=2_000)
    stores.tracker.end_run(facts.run_id, RunState.FINISHED, at=3_000)
    there = stores.tracker.run_facts(facts.run_id)
    assert (there.state, there.params, there.metrics) == (RunState.FINISHED, {"depth": "3"}, {"auc": 0.5})
    assert there == MlflowTracker(f"sqlite:///{root}/mlflow.db", root).run_facts(facts.run_id)
    assert (stores.tracker.uri, stores.registry.names()) == (f"sqlite:///{root}/mlflow.db", ())


def test_errors_come_over_whole(stores: RemoteStores) -> None:
    with pytest.raises(UsageError) as caught:
        stores.tracker.log_artifacts("r", Path("/nowhere"))
    assert (caught.value.message, caught.value.hint) == (
        "/nowhere does not exist, so it cannot be an artifact of the run",
        "",
    )


def test_a_process_that_died_is_told_and_started_again(stores: RemoteStores) -> None:
    assert stores.registry.names() == ()
    died = process_of(stores)
    died.kill()
    died.wait()
    assert stores.registry.names() == ()
    assert process_of(stores).pid != died.pid


def test_a_call_whose_process_dies_is_a_store_that_is_away(root: Path) -> None:
    process = StoreProcess(root, "http://10.255.255.1:5000")  # answers nobody: the call waits
    threading.Timer(1.0, lambda: process._child and process._child.process.kill()).start()
    with pytest.raises(StoreAway, match="has ended"):
        process.call("tracker", "mark_killed", "demo")
    process.close()


def test_what_the_other_process_cannot_have_is_registered_here(stores: RemoteStores, root: Path) -> None:
    class Unknown:
        """Of this function only."""

    with pytest.raises(NotToldError):
        stores._process.call("registry", "add", Unknown())
    with pytest.raises(UsageError, match=r"a model of type .*Unknown cannot be registered"):
        stores.registry.add(Candidate("m", "r", Unknown(), "d", None, Lineage()), Verdict(True, ()))
    assert stores.registry.names() == ()


def test_closing_ends_the_process(root: Path) -> None:
    stores = RemoteStores(root, f"sqlite:///{root}/mlflow.db")
    assert stores.registry.names() == ()
    process = process_of(stores)
    stores.close()
    assert process.wait(30) == 0
    with pytest.raises(StoreAway):
        stores.registry.names()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_kernel_that_is_killed_leaves_nothing_unsent_and_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nbmlops.toml").write_text("")
    (tmp_path / "kernel.py").write_text(KERNEL)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")}
    died = subprocess.run([sys.executable, "kernel.py"], capture_output=True, text=True, check=False, env=env)
    assert died.returncode == -signal.SIGKILL, died.stderr
    run_id, forked, remote, *heavy = died.stdout.splitlines()[-1].split()
    try:
        assert heavy == []
        end = time.monotonic() + 60
        while Path(f"/proc/{remote}").exists() and time.monotonic() < end:
            time.sleep(0.1)
        run = MlflowTracker(URI, tmp_path).run_facts(run_id)
        assert (run.state, run.metrics, find_spools(tmp_path / SPOOLS)) == (RunState.KILLED, {"auc": 0.5}, ())
        assert not Path(f"/proc/{remote}").exists()
        assert (tmp_path / "forked.txt").read_text() == "None"
    finally:
        os.kill(int(forked), signal.SIGKILL)
