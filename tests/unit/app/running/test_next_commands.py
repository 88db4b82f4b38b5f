from __future__ import annotations

from pathlib import Path

import pytest

from nbmlops.app.running.next_commands import look_at_store

HERE = Path("/project")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("sqlite:////project/mlflow.db", "mlflow ui --backend-store-uri sqlite:///mlflow.db"),
        ("sqlite:////else where/mlflow.db", "mlflow ui --backend-store-uri 'sqlite:////else where/mlflow.db'"),
        ("http://ada:s3cret@tracking:5000/", "http://tracking:5000/#/runs/7f3a in a browser"),
        ("postgresql://ada:s3cret@host/runs", "mlflow ui --backend-store-uri postgresql://host/runs"),
    ],
)
def test_a_server_shows_its_runs_itself(uri: str, said: str) -> None:
    assert look_at_store(uri, "7f3a", HERE) == said
