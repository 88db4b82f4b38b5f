"""What a notebook could not tell its store reaches it later, once and in order: real processes, a real store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nbmlops.app.leftovers import waiting_spools
from nbmlops.app.project import SPOOLS
from nbmlops.pipeline.run_record import DataRecord, MetricValue, StepLog
from nbmlops.tracking.delivery import Delivery, end_entry, log_entry, start_entry
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.process import ProcessMark
from nbmlops.tracking.spool import Entry, Spool, find_spools
from nbmlops.tracking.tracker import RunStart, RunState

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
URI = "sqlite:///mlflow.db"
START = RunStart("demo", "line", {"nbmlops.pipeline": "line"}, "line.ipynb", ProcessMark(0, "nowhere"), 1_000)
LOGS = [
    log_entry(StepLog({"depth": 3}, (MetricValue("auc", 0.5),), (DataRecord("f", "a" * 32, "file"),)), 2_000),
    log_entry(StepLog(metrics=(MetricValue("auc", 0.75), MetricValue("f1", float("nan")))), 3_000),
]
# A notebook's kernel that logs while the server is away, and then dies without a word.
KERNEL = """
import os, time
import nbmlops
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "nbmlops")
took = []
for source in ("status = nbmlops.track(name='line')", "nbmlops.metric('auc', 0.5)", "nbmlops.metric('auc', 0.75)"):
    began = time.perf_counter()
    shell.run_cell("import nbmlops\\n" + source, store_history=True).raise_error()
    took.append(time.perf_counter() - began)
print(took[1:], flush=True)
os._exit(9)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nbmlops.toml").write_text("")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sync(project: Path, expect: int = 0) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "nbmlops", "sync", "--format", "json"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expect, done.stderr
    return json.loads(done.stdout)["runs"]


def history(project: Path, run_id: str) -> list[tuple[float, int]]:
    client = MlflowTracker(URI, project)._client
    return [(metric.value, metric.timestamp) for metric in client.get_metric_history(run_id, "auc")]


def test_what_was_sent_before_a_crash_is_there_once(project: Path):
    tracker = MlflowTracker(URI, project)
    delivery = Delivery(tracker)
    entries: list[Entry] = [*LOGS, end_entry(RunState.FINISHED, 4_000)]
    with Spool(project / SPOOLS) as spool:
        key = spool.key
        for entry in [start_entry(START, URI, key), *entries]:
            spool.append(entry)
        for _, entry in spool.read().entries[:2]:  # the crash comes between sending the second and noting it
            delivery.send(entry)
        spool.mark_sent(1)
    assert delivery.facts is not None
    run_id = delivery.facts.run_id
    (synced,) = sync(project)
    expected = {"key": key, "name": "line", "state": "sent", "run_id": run_id, "sent": 3, "left": 0, "faults": []}
    assert synced == expected
    run = tracker.run_facts(run_id)
    assert (run.state, run.started, run.ended, run.params, run.data) == (
        RunState.FINISHED, 1_000, 4_000, {"depth": "3"}, {"f": "a" * 32},
    )  # fmt: skip
    assert history(project, run_id) == [(0.5, 2_000), (0.75, 3_000)]
    assert find_spools(project / SPOOLS) == ()
    assert sync(project) == []


def test_a_kernel_that_dies_while_the_server_is_away_loses_nothing(project: Path, monkeypatch: pytest.MonkeyPatch):
    (project / "kernel.py").write_text(KERNEL)
    away = "http://127.0.0.1:9"  # the port of "discard", where nobody listens
    died = subprocess.run(
        [sys.executable, "kernel.py"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MLFLOW_TRACKING_URI": away},
    )
    assert died.returncode == 9, died.stderr
    (left,) = waiting_spools(project)
    assert left.found == "6 entries of run line not sent, and no notebook that would send them"
    (kept,) = sync(project, expect=4)
    assert (kept["state"], kept["sent"], kept["left"]) == ("kept", 0, 6)
    (fault,) = kept["faults"]
    assert fault.splitlines() == [
        f"the run belongs to {away}, but the project's store is sqlite:///mlflow.db",
        f"hint: MLFLOW_TRACKING_URI={away} nbmlops sync",
    ]
    # The server is back: here a file stands for it.
    with Spool(project / SPOOLS, kept["key"]) as spool:
        entries = [entry for _, entry in spool.read().entries]
        spool.remove()
    with Spool(project / SPOOLS, kept["key"]) as spool:
        for entry in [{**entries[0], "uri": URI}, *entries[1:]]:
            spool.append(entry)
    (synced,) = sync(project)
    assert (synced["state"], synced["sent"], synced["left"]) == ("sent", 6, 0)
    run = MlflowTracker(URI, project).run_facts(synced["run_id"])
    assert (run.state, run.metrics) == (RunState.KILLED, {"auc": 0.75})
    assert [value for value, _ in history(project, run.run_id)] == [0.5, 0.75]
