"""Secrets in files of credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbmlops.tracking.credential_files import credentials


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("NETRC", raising=False)
    return tmp_path


def test_there_are_none(home: Path):
    assert list(credentials()) == []


def test_netrc_mlflow_and_aws(home: Path):
    netrc = home / ".netrc"
    netrc.write_text("machine host login bob password hunter2-x\n")
    netrc.chmod(0o600)
    for folder, text in (
        (".mlflow", "[mlflow]\nmlflow_tracking_username = bob\nmlflow_tracking_password = tok-1\n"),
        (".aws", "[default]\naws_access_key_id = AK\naws_secret_access_key = sec/1%2\n"),
    ):
        (home / folder).mkdir()
        (home / folder / "credentials").write_text(text)
    assert list(credentials()) == [
        ("hunter2-x", "password of host in .netrc"),
        ("tok-1", "mlflow_tracking_password in .mlflow/credentials"),
        ("sec/1%2", "aws_secret_access_key in .aws/credentials"),
    ]


@pytest.mark.parametrize("content", [b"machine", b"\xff\xfe", b"[x\nnothing", b"a = 1\n"])
def test_broken_files_have_none(home: Path, content: bytes):
    (home / ".netrc").write_bytes(content)
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_bytes(content)
    assert list(credentials()) == []
