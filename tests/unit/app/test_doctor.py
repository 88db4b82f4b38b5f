from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from nbmlops.app.doctor import Check, CheckStatus, examine
from nbmlops.core.errors import ExitCode


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def check(folder: Path, name: str) -> Check:
    (found,) = (one for one in examine(folder).checks if one.name == name)
    return found


def test_an_empty_folder_has_no_blocker_and_says_what_is_missing(tmp_path: Path) -> None:
    diagnosis = examine(tmp_path)
    assert diagnosis.exit_code is ExitCode.SUCCESS
    assert check(tmp_path, "tracking store") == Check(
        "tracking store", CheckStatus.OK, "mlflow.db will be made by the first run"
    )
    assert check(tmp_path, "configuration").status is CheckStatus.WARNING
    assert check(tmp_path, "gitignore").status is CheckStatus.WARNING


def test_a_malformed_configuration_blocks(tmp_path: Path) -> None:
    (tmp_path / "nbmlops.toml").write_text("[traking]\n")
    assert examine(tmp_path).exit_code is ExitCode.ENVIRONMENT
    assert check(tmp_path, "configuration") == Check(
        "configuration",
        CheckStatus.BLOCKER,
        "nbmlops.toml line 1: traking: unknown key\n  did you mean 'tracking'?",
        "correct the file",
    )


def test_a_locked_store_blocks(tmp_path: Path) -> None:
    (tmp_path / "nbmlops.toml").touch()
    holder = sqlite3.connect(tmp_path / "mlflow.db")
    holder.execute("CREATE TABLE experiments (x)")
    holder.commit()
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert check(tmp_path, "tracking store") == Check(
            "tracking store",
            CheckStatus.BLOCKER,
            f"the tracking store {tmp_path / 'mlflow.db'} is locked by another program",
            "close what has it open (a database viewer, a hanging run) and try again",
        )
    finally:
        holder.close()
    assert check(tmp_path, "tracking store").status is CheckStatus.OK


def test_a_foreign_file_in_place_of_the_store_blocks(tmp_path: Path) -> None:
    (tmp_path / "nbmlops.toml").touch()
    (tmp_path / "mlflow.db").write_bytes(b"no database at all" * 100)
    assert check(tmp_path, "tracking store").status is CheckStatus.BLOCKER


def test_a_store_in_a_folder_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "./mlruns")
    found = check(tmp_path, "tracking store")
    assert (found.status, "MLflow 3 no longer keeps runs in folders" in found.found) == (CheckStatus.BLOCKER, True)


def test_a_server_that_does_not_answer_blocks_and_its_password_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
    found = check(tmp_path, "tracking store")
    assert found.status is CheckStatus.BLOCKER
    assert found.found.startswith("http://127.0.0.1:9 cannot be reached")
