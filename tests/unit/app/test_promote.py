from __future__ import annotations

import pytest

from nbmlops.app.promote import parse_model
from nbmlops.core.errors import UsageError


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
