"""What killed processes have left behind: found, told with what to do, and left as it is."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from nbmlops.app.doctor import Check, CheckStatus, examine
from nbmlops.app.leftovers import Leftover, killed_runs, leftover_leases, waiting_spools
from nbmlops.app.project import SPOOLS
from nbmlops.pipeline.run_record import MetricValue, StepLog
from nbmlops.tracking.delivery import log_entry, start_entry
from nbmlops.tracking.process import ProcessMark, this_process
from nbmlops.tracking.spool import Spool
from nbmlops.tracking.tracker import RunStart

STATE = Path(".nbmlops", "state", "flights")
STORE = "sqlite:///mlflow.db"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which nothing has run yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "nbmlops.toml").write_text("")
    return tmp_path


@pytest.fixture(scope="module")
def gone() -> ProcessMark:
    """The mark of a process that has ended."""
    code = (
        "import msgspec, sys; from nbmlops.tracking.process import this_process; "
        "sys.stdout.buffer.write(msgspec.json.encode(this_process()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    found = json.loads(subprocess.check_output([sys.executable, "-c", code], env=environment))
    return ProcessMark(**found)


def test_nothing_is_left_where_nothing_ran(root: Path) -> None:
    stores = [STORE, "http://localhost:5000"]
    left = [*killed_runs(root, stores), *waiting_spools(root), *leftover_leases(root, stores)]
    assert left == []
    assert not (root / ".nbmlops").exists()
    assert not (root / "mlflow.db").exists()


def test_a_killed_pipeline_run_is_told_and_one_that_goes_on_is_not(root: Path) -> None:
    (root / STATE).mkdir(parents=True)
    (root / STATE / "run.begun").write_text(json.dumps({"schema": "nbmlops/run-begun/2", "run": "1-a"}))
    with (root / STATE / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert list(killed_runs(root, [])) == []
    wanted = Leftover(
        "run 1-a of pipeline flights was killed",
        "nbmlops run flights ends it in the store, and goes on with the steps that it finished",
    )
    assert list(killed_runs(root, [])) == [wanted]
    (root / STATE / "run.begun").write_text("cut o")
    assert [one.found for one in killed_runs(root, [])] == ["a run of pipeline flights was killed"]


def test_a_tracked_run_whose_process_is_gone_is_told(root: Path, gone: ProcessMark) -> None:
    with sqlite3.connect("mlflow.db") as database:
        database.execute("CREATE TABLE runs (run_uuid, name, status, lifecycle_stage, start_time)")
        database.execute("CREATE TABLE tags (key, value, run_uuid)")
        for number, (status, mark) in enumerate(
            [("RUNNING", gone), ("RUNNING", this_process()), ("FINISHED", gone), ("RUNNING", ProcessMark(0, ""))]
        ):
            run = f"r{number}"
            database.execute("INSERT INTO runs VALUES (?, 'flights', ?, 'active', ?)", (run, status, number))
            tags = {"nbmlops.pid": str(mark.pid), "nbmlops.host": mark.host, "nbmlops.process_start": mark.start}
            database.executemany("INSERT INTO tags VALUES (?, ?, ?)", [(*tag, run) for tag in tags.items()])
    assert list(killed_runs(root, [STORE])) == [
        Leftover(
            "run flights counts as running in mlflow.db, but its process is gone",
            "nbmlops sync ends it where its spool is left, else the next %mlops track or nbmlops run does",
        )
    ]


def test_a_spool_says_whether_anybody_sends_it(root: Path) -> None:
    start = RunStart("demo", "line", {}, "line.ipynb", this_process(), 1_000)
    with Spool(root / SPOOLS) as spool:
        spool.append(start_entry(start, STORE, spool.key))
        spool.append(log_entry(StepLog(metrics=(MetricValue("auc", 0.5),)), 2_000))
        assert list(waiting_spools(root)) == [
            Leftover(
                "2 entries of run line not sent yet; its notebook still runs, and sends them when the store answers"
            )
        ]
        spool.mark_sent(1)
    unsent = Leftover(
        "1 entry of run line not sent, and no notebook that would send them", "nbmlops sync sends them, once"
    )
    assert list(waiting_spools(root)) == [unsent]
    with Spool(root / SPOOLS, spool.key) as again:
        again.mark_sent(2)
        assert list(waiting_spools(root)) == []
    assert list(waiting_spools(root)) == [Leftover("run line was not ended", "nbmlops sync ends it as killed")]


def test_leases_of_the_dead_are_told_and_those_of_the_living_are_not(root: Path, gone: ProcessMark) -> None:
    folder = root / STATE / "run.lock.leases"
    folder.mkdir(parents=True)
    for number, mark in enumerate((gone, gone, this_process())):
        holder = {"pid": mark.pid, "host": mark.host, "start": mark.start}
        (folder / f"{number}.lease").write_text(json.dumps({"holder": holder, "started": "now", "shared": False}))
    with sqlite3.connect("mlflow.db") as database:
        database.execute("CREATE TABLE registered_models (name)")
        database.execute("CREATE TABLE registered_model_tags (name, key, value)")
        for name, mark in (("flights", gone), ("churn", replace(this_process(), pid=os.getppid(), start=""))):
            process = {"pid": mark.pid, "host": mark.host, "start": mark.start}
            holder = {"who": "ada", "since": 0 if mark == gone else 1e12, "token": "t", "process": process}
            entry = f"nbmlops.lease.{name}"
            database.execute("INSERT INTO registered_models VALUES (?)", (entry,))
            database.execute(
                "INSERT INTO registered_model_tags VALUES (?, 'nbmlops.holder', ?)", (entry, json.dumps(holder))
            )
    host = gone.host.partition(" ")[0]
    found = list(leftover_leases(root, [STORE]))
    assert found[0] == Leftover(
        "2 leases of runs of flights that are over", "nothing to do: the next nbmlops run flights removes them"
    )
    assert (found[1].found, found[1].advice) == (
        f"ada (process {gone.pid} on {host}) was changing model flights, and is gone",
        "the next promote, rollback or register of flights finishes or undoes it",
    )
    assert len(list(folder.iterdir())) == 3, "looking takes nothing away"


def test_the_doctor_tells_of_them_and_blocks_nothing(root: Path) -> None:
    (root / STATE).mkdir(parents=True)
    (root / STATE / "run.begun").write_text("{}")
    for _ in range(7):
        with Spool(root / SPOOLS) as spool:
            spool.append(start_entry(RunStart("demo", "", {}, "", this_process(), 1_000), STORE, spool.key))
    diagnosis = examine(root)
    assert int(diagnosis.exit_code) == 0
    checks = {name: [one for one in diagnosis.checks if one.name == name] for name in ("runs", "spool", "leases")}
    assert [one.found for one in checks["runs"]] == ["a run of pipeline flights was killed"]
    assert [one.status for one in checks["spool"]] == [CheckStatus.WARNING] * 6
    assert checks["spool"][5] == Check("spool", CheckStatus.WARNING, "and 2 more", "the same helps")
    assert checks["leases"] == [Check("leases", CheckStatus.OK, "none was left behind")]
