from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from nbmlops.core.errors import EnvironmentFault
from nbmlops.tracking.file_lock import file_lock
from nbmlops.tracking.sqlite_store import check_sqlite_store


def database(path: Path, statements: Sequence[str]) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def store(path: Path, revision: str, *, with_experiment: bool = True) -> Path:
    return database(
        path,
        [
            "CREATE TABLE experiments (name TEXT)",
            "CREATE TABLE alembic_version (version_num TEXT)",
            f"INSERT INTO alembic_version VALUES ('{revision}')",
            *(["INSERT INTO experiments VALUES ('Default')"] if with_experiment else []),
        ],
    )


def fault(path: Path) -> EnvironmentFault:
    with pytest.raises(EnvironmentFault) as caught:
        check_sqlite_store(path, lock_seconds=0.1)
    return caught.value


def test_a_missing_file_is_fine_and_its_folder_is_made(tmp_path: Path) -> None:
    check_sqlite_store(tmp_path / "deep" / "mlflow.db")
    assert (tmp_path / "deep").is_dir()
    assert not (tmp_path / "deep" / "mlflow.db").exists()


def test_an_older_schema_is_named_with_the_way_out(tmp_path: Path) -> None:
    path = store(tmp_path / "mlflow.db", "0a8213491aaa")
    error = fault(path)
    assert error.message.startswith(
        f"the tracking store {path} was made by an older MLflow: it has schema 0a8213491aaa, not "
    )
    assert error.hint == f"keep a copy of the file, then: mlflow db upgrade sqlite:///{path}"


def test_a_newer_schema_is_named(tmp_path: Path) -> None:
    path = store(tmp_path / "mlflow.db", "ffffffffffff")
    assert str(fault(path)) == (
        f"the tracking store {path} was made by a newer MLflow: its schema ffffffffffff is not known to this one\n"
        "hint: install the MLflow that made it, or a later one"
    )


def test_a_newer_schema_without_experiments_is_no_half_made_store(tmp_path: Path) -> None:
    path = store(tmp_path / "mlflow.db", "ffffffffffff", with_experiment=False)
    assert fault(path).message.startswith(f"the tracking store {path} was made by a newer MLflow")


def test_a_store_that_was_left_half_made_is_completed_by_mlflow(tmp_path: Path) -> None:
    check_sqlite_store(store(tmp_path / "mlflow.db", "0a8213491aaa", with_experiment=False))


def test_a_locked_file_is_named_quickly(tmp_path: Path) -> None:
    path = store(tmp_path / "mlflow.db", "0a8213491aaa")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        start = time.monotonic()
        assert str(fault(path)) == (
            f"the tracking store {path} is locked by another program\n"
            "hint: close what has it open (a database viewer, a hanging run) and try again"
        )
        assert time.monotonic() - start < 15  # the other program never lets go


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_text("hello " * 100)
    assert fault(path).message == f"the tracking store {path} cannot be read: file is not a database"


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = database(tmp_path / "app.db", ["CREATE TABLE users (name TEXT)"])
    assert fault(path).message == f"{path} is a database of another program: it holds users, but nothing of MLflow"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = store(tmp_path / "mlflow.db", "0a8213491aaa")
    path.chmod(0o400)
    assert "cannot be written" in fault(path).message


def test_a_lock_is_held_by_one_and_let_go_when_its_process_dies(tmp_path: Path) -> None:
    path = tmp_path / "x" / "a.lock"
    program = (
        "import sys, time; from pathlib import Path; from nbmlops.tracking.file_lock import file_lock\n"
        "with file_lock(Path(sys.argv[1]), 5):\n    print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with (
        pytest.raises(EnvironmentFault, match=r"another process has held .*a\.lock for 0\.1 seconds"),
        file_lock(path, 0.1),
    ):
        pass
    child.kill()
    child.wait()
    child.stdout.close()
    with file_lock(path, 5):
        assert path.exists()
