"""Tracking stores that cannot be used, and runs that are stopped: the whole message, what is left, and the way on."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from nbmlops.cli.main import main

Golden = Callable[[str, str], None]
Told = Callable[..., str]
Write = Callable[..., None]
Normal = Callable[[str, Path], str]

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")]

ROOT = Path(__file__).parents[2]
MAKE = (["step:make"], "rows = [1, 2]")
USE = (["step:use"], "total = sum(rows)")


@pytest.fixture
def compiled(work: Path, notebook: Write) -> Path:
    """A project with a compiled pipeline of two steps."""
    notebook(work / "rows.ipynb", MAKE, USE)
    assert main(["compile", "rows.ipynb", "--format", "json"]) == 0
    return work


def ended(text: str) -> str:
    """What was said in the end; how far the steps came until then depends on the machine."""
    return text[: text.index("\n") + 1] + text[text.index("error: ") :]


def _locked(folder: Path) -> sqlite3.Connection:
    holder = sqlite3.connect(folder / "mlflow.db")
    holder.execute("CREATE TABLE experiments (x)")
    holder.commit()
    holder.execute("BEGIN EXCLUSIVE")
    return holder


def _of_version(revision: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "mlflow.db")) as store:
            store.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
            store.execute("CREATE TABLE experiments (experiment_id INTEGER)")
            store.execute("INSERT INTO experiments VALUES (0)")
            store.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
            store.commit()

    return make


def _no_database(folder: Path) -> None:
    (folder / "mlflow.db").write_text("mine\n" * 100)


def _other_database(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        store.execute("CREATE TABLE customers (name TEXT)")
        store.commit()


def _folder(folder: Path) -> None:
    (folder / "mlflow.db").mkdir()


def _nobody(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "nbmlops.toml").write_text(f'[tracking]\nuri = "http://me:secret@127.0.0.1:{port}"\n')


def _folder_store(folder: Path) -> None:
    (folder / "nbmlops.toml").write_text('[tracking]\nuri = "./mlruns"\n')


STORES: dict[str, Callable[[Path], sqlite3.Connection | None]] = {
    "locked": _locked,
    "newer": _of_version("ffffffffffff"),
    "older": _of_version("451aebb31d03"),
    "no_database": _no_database,
    "other_database": _other_database,
    "folder": _folder,
    "nobody_there": _nobody,
    "folder_store": _folder_store,
}


@pytest.mark.parametrize("case", STORES)
def test_a_store_that_cannot_be_used(compiled: Path, told: Told, golden: Golden, case: str) -> None:
    holder = STORES[case](compiled)
    store = compiled / "mlflow.db"
    before = store.read_bytes() if store.is_file() else b""
    try:
        text = ended(told("run", "rows"))
        port = (
            "".join(filter(str.isdigit, (compiled / "nbmlops.toml").read_text()[-8:]))
            if case == "nobody_there"
            else "-"
        )
        golden(f"bad_input/store_{case}.txt", text.replace(f":{port}", ":PORT"))
    finally:
        if holder is not None:
            holder.close()
    assert (store.read_bytes() if store.is_file() else b"") == before
    assert "secret" not in text


def test_what_was_executed_before_the_store_failed_is_kept(compiled: Path, told: Told) -> None:
    holder = _locked(compiled)
    try:
        told("run", "rows")
    finally:
        holder.close()
    (compiled / "mlflow.db").unlink()
    assert "  make  cached" in told("run", "rows")


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    path = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": path, "CI": "true"}


WAIT = """\
import time
from pathlib import Path
Path("waiting").touch()
time.sleep(0 if Path("go").exists() else 600)
total = sum(rows)"""


def run_until(work: Path, mark: str) -> tuple[subprocess.Popen[str], str]:
    """Starts a run and returns it, with what it has said, once it says the mark."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nbmlops", "run", "rows"],
        cwd=work,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return process, said_until(process, mark)


def said_until(process: subprocess.Popen[str], mark: str) -> str:
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if mark in line:
            return said
    raise AssertionError(said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_run_that_is_stopped_in_the_middle_of_a_step(
    work: Path, notebook: Write, told: Told, normal: Normal, golden: Golden, number: signal.Signals
) -> None:
    notebook(work / "rows.ipynb", MAKE, (["step:wait"], WAIT), (["step:end"], "total"))
    assert main(["compile", "rows.ipynb", "--format", "json"]) == 0
    process, said = run_until(work, "wait: running")
    while not (work / "waiting").exists():
        assert process.poll() is None
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    text = f"$ nbmlops run rows\n{stdout}--- stderr\n{said}{stderr}--- exit code {process.returncode}\n"
    golden(f"bad_input/stopped_by_{number.name}.txt", normal(text, work))

    (path,) = work.glob("runs/rows/*/run.json")
    document = json.loads(path.read_text())
    assert (document["status"], [step["status"] for step in document["steps"]]) == (
        "interrupted",
        ["executed", "skipped", "skipped"],
    )
    with closing(sqlite3.connect(work / "mlflow.db")) as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert store.execute("SELECT run_uuid, status FROM runs").fetchall() == [(document["run_id"], "KILLED")]
    assert not [path for path in work.rglob("*") if path.name.startswith((".nbmlops-", ".run.json", ".pipeline"))]

    (work / "go").touch()
    resumed = told("run", "rows")
    assert resumed.endswith("--- exit code 0\n")
    rows = [line.split()[:2] for line in resumed.splitlines() if line.startswith("  ")][1:4]
    assert rows == [["make", "cached"], ["wait", "executed"], ["end", "executed"]]


def test_a_run_that_is_stopped_twice_ends_at_once_and_the_next_one_tidies_up(
    work: Path, notebook: Write, told: Told
) -> None:
    notebook(work / "rows.ipynb", MAKE, (["step:wait"], WAIT), (["step:end"], "total"))
    assert main(["compile", "rows.ipynb", "--format", "json"]) == 0
    process, _ = run_until(work, "wait: running")
    while not (work / "waiting").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    said_until(process, "end: skipped")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in {130, -signal.SIGINT}
    # Whether there was time for a run document depends on the machine.
    assert {json.loads(path.read_text())["status"] for path in work.glob("runs/rows/*/run.json")} <= {"interrupted"}

    (work / "go").touch()
    assert told("run", "rows").endswith("--- exit code 0\n")
    with closing(sqlite3.connect(work / "mlflow.db")) as store:
        assert store.execute("SELECT status FROM runs ORDER BY start_time").fetchall() == [("KILLED",), ("FINISHED",)]
