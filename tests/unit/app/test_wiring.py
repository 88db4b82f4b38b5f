from __future__ import annotations

from pathlib import Path

import pytest

from nbmlops.app.config.config import load_config
from nbmlops.app.wiring import Stores, open_existing, shown_uri, tracking_uri
from nbmlops.core.errors import EnvironmentFault, UsageError


@pytest.mark.parametrize(
    ("variable", "configured", "expected"),
    [
        (None, "", "sqlite:///ROOT/mlflow.db"),
        ("", "", "sqlite:///ROOT/mlflow.db"),
        (None, "sqlite:///deep/store.db", "sqlite:///ROOT/deep/store.db"),
        (None, "https://host", "https://host"),
        ("http://other:5000", "https://host", "http://other:5000"),
    ],
)
def test_the_environment_goes_before_the_configuration_and_that_before_the_default(
    variable: str | None, configured: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if variable is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", variable)
    (tmp_path / "nbmlops.toml").write_text(f'[tracking]\nuri = "{configured}"\n' if configured else "")
    found = tracking_uri(tmp_path, load_config(tmp_path).for_pipeline("churn"))
    assert found == expected.replace("ROOT", str(tmp_path))


def test_a_folder_is_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "./mlruns")
    with pytest.raises(EnvironmentFault):
        tracking_uri(tmp_path, load_config(tmp_path).for_pipeline("churn"))


def test_passwords_are_not_shown() -> None:
    assert shown_uri("https://me:secret@host/path") == "https://host/path"


def test_opening_the_stores_opens_nothing(tmp_path: Path) -> None:
    stores = Stores(tmp_path, f"sqlite:///{tmp_path}/mlflow.db")
    assert stores.tracker.uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_only_read_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        open_existing(tmp_path, f"sqlite:///{tmp_path}/mlflow.db")
    assert str(caught.value) == (
        "nothing has been tracked here: there is no mlflow.db\n"
        "hint: run a pipeline or a tracked notebook first; or name the store in MLFLOW_TRACKING_URI"
    )
    assert list(tmp_path.iterdir()) == []
    assert open_existing(tmp_path, "http://127.0.0.1:5000").tracker.uri == "http://127.0.0.1:5000"
