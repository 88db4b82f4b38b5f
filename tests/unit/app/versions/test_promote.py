from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from nbmlops.app.versions import promote as module
from nbmlops.app.versions.promote import parse_model, promote_model, rollback_model
from nbmlops.core.errors import UsageError
from tests.fakes.in_memory import InMemoryRegistry


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("churn", ("churn", "challenger")),
        ("churn@champion", ("churn", "champion")),
        ("churn/7", ("churn", "7")),
        ("models:/churn@challenger", ("churn", "challenger")),
        ("my model@x", ("my model", "x")),
    ],
)
def test_a_model_version_is_named_as_in_mlflow(text: str, parts: tuple[str, str]) -> None:
    assert parse_model(text) == parts


@pytest.mark.parametrize("text", ["", "@champion", "churn@", "churn/", "/7", "a/b/c", "a@b@c", "a@b/7"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no model version"):
        parse_model(text)


@pytest.mark.parametrize("reason", ["", "  ", "\n", "\udcff\x00"])
def test_a_reason_has_words(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    monkeypatch.setattr(module, "model_stores", lambda name, cwd: SimpleNamespace(registry=InMemoryRegistry()))
    with pytest.raises(UsageError, match="needs a reason"):
        promote_model("churn", reason, Path())
    with pytest.raises(UsageError, match="needs a reason"):
        rollback_model("churn", reason, Path())
