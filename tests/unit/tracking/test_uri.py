from __future__ import annotations

from pathlib import Path

import pytest

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.tracking.uri import masked, resolve_uri, sqlite_path

ROOT = Path("/home/ada/project")


@pytest.mark.parametrize(
    ("uri", "resolved"),
    [
        ("sqlite:///mlflow.db", "sqlite:////home/ada/project/mlflow.db"),
        ("sqlite:///sub/my runs.db", "sqlite:////home/ada/project/sub/my runs.db"),
        ("sqlite:////data/mlflow.db", "sqlite:////data/mlflow.db"),
        ("https://mlflow.example.org", "https://mlflow.example.org"),
        ("postgresql://ada:secret@db/mlflow", "postgresql://ada:secret@db/mlflow"),
        ("databricks", "databricks"),
    ],
)
def test_addresses_are_made_absolute(uri: str, resolved: str) -> None:
    assert resolve_uri(uri, ROOT) == resolved


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_store_that_would_be_forgotten_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="does not name a SQLite file"):
        resolve_uri(uri, ROOT)


@pytest.mark.parametrize("name", ["what?", "50%"])
def test_paths_that_no_address_can_say_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"holds '\?' or '%'"):
        resolve_uri("sqlite:///mlflow.db", ROOT / name)


@pytest.mark.parametrize("uri", ["mlruns", "./mlruns", "/data/mlruns", "file:///data/mlruns", "C:\\runs"])
def test_the_former_folder_store_is_named_with_the_way_out(uri: str) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        resolve_uri(uri, ROOT)
    assert caught.value.message == f"the tracking store {uri} is a folder, and MLflow 3 no longer keeps runs in folders"
    assert "mlflow migrate-filestore --source . --target sqlite:///mlflow.db" in caught.value.hint


@pytest.mark.parametrize(
    "uri", ["http://localhost:abc", "https://host:70000", "http://", "http://[::1", "http://host:0"]
)
def test_an_address_that_no_server_can_have_is_refused(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_uri(uri, ROOT)
    assert (caught.value.message, caught.value.hint) == (
        f"{uri!r} is no address of a server",
        "write http://HOST:PORT",
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://ada:p@ss@host:5000/x", "http://host:5000/x"),
        ("https://ada:s3cret@host:5000/x", "https://host:5000/x"),
        (
            "failed for http://token@host/a and postgresql+psycopg2://u:p%40@db/x.",
            "failed for http://host/a and postgresql+psycopg2://db/x.",
        ),
        ("http://host/a@b", "http://host/a@b"),
        ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db"),
    ],
)
def test_credentials_are_never_shown(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_only_sqlite_stores_have_a_file() -> None:
    assert sqlite_path("sqlite:////data/mlflow.db") == Path("/data/mlflow.db")
    assert sqlite_path("https://host") is None
