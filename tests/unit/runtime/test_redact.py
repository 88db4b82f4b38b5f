"""What a run of a pipeline writes is without secrets; what holds none costs nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbmlops.core.digest import digest_json
from nbmlops.pipeline.run_record import MetricValue, StepError, StepLog
from nbmlops.runtime.redact import (
    keyed_text,
    new_secrets,
    redacted_error,
    redacted_log,
    redacted_report,
    shown_parameters,
    shown_text,
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "Env-Pw-44")


def test_parameters():
    plain = {"depth": 3, "kind": "gini", "share": 0.5, "deep": True, "names": ["a", "b"]}
    assert shown_parameters(plain) is plain
    given = {"depth": 3, "password": "swordfish", "dsn": "x Env-Pw-44", "names": ["Env-Pw-44"]}
    assert shown_parameters(given) == {
        "depth": 3,
        "password": "[redacted]",
        "dsn": "x [redacted]",
        "names": ["[redacted]"],
    }


def test_records_of_steps_know_a_secret_by_its_digest():
    assert keyed_text("depth", 3, "3") == "3"
    assert keyed_text("password", "swordfish", '"swordfish"') == "sha256:" + digest_json('"swordfish"')
    assert keyed_text("password", "swordfish", "a") != keyed_text("password", "swordfish", "b")


def test_logs():
    metrics = (MetricValue("auc", 0.5),)
    assert redacted_log(StepLog(metrics=metrics)) == StepLog(metrics=metrics)
    key = MetricValue("AKIA" + "IOSFODNN7EXAMPLE", 0.5)
    assert redacted_log(StepLog(metrics=(key,))) == StepLog(metrics=(MetricValue("redacted", 0.5),))
    assert redacted_log(StepLog({"who": "Env-Pw-44"}, metrics)) == StepLog({"who": "[redacted]"}, metrics)


def test_errors_with_what_the_generated_code_calls_a_password(tmp_path: Path):
    (tmp_path / "load.py").write_text("def load():\n    api_key = 'Literal-Key-33'\n")
    error = StepError("ValueError", "no Env-Pw-44", traceback="connect('Literal-Key-33')", cell=2, hint="ask Env-Pw-44")
    assert redacted_error(error, tmp_path) == StepError(
        "ValueError", "no [redacted]", traceback="connect('[redacted]')", cell=2, hint="ask [redacted]"
    )
    assert redacted_error(None, tmp_path) is None
    assert redacted_report({"message": "Literal-Key-33", "frames": [["a.py", 3, "f", ""]]}, tmp_path) == {
        "message": "[redacted]",
        "frames": [["a.py", 3, "f", ""]],
    }


def test_code_that_was_generated_anew_in_the_life_of_a_process(tmp_path: Path):
    path = tmp_path / "load.py"
    for written, secret in enumerate(("First-Key-11", "Second-Key-22")):
        path.write_text(f"api_key = {secret!r}\n")
        os.utime(path, (written, written))
        assert redacted_report({"message": secret}, tmp_path) == {"message": "[redacted]"}


def test_messages():
    assert (shown_text("plain words"), shown_text("no Env-Pw-44 here")) == ("plain words", "no [redacted] here")


def test_what_a_process_knows_that_its_parent_does_not(monkeypatch: pytest.MonkeyPatch):
    before = dict(os.environ)
    monkeypatch.setenv("CELL_TOKEN", "Cell-Pw-77")
    monkeypatch.setenv("PLAIN", "x")
    monkeypatch.setenv("SERVER", "http://a:b@c")
    assert new_secrets(before) == {"CELL_TOKEN": "Cell-Pw-77", "SERVER": "http://a:b@c"}
