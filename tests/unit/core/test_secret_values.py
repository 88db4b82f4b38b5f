"""The quick look before anything is loaded that knows better."""

from __future__ import annotations

import pytest

from nbmlops.core.diagnostics import Json
from nbmlops.core.secret_values import may_hold_secrets


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"depth": 3, "kind": "gini", "share": 0.5, "none": None, "list": [1, "a"]}, False),
        ({}, False),
        ({"password": 1}, True),
        ({"token": "x"}, True),
        ({"text": "0123456789abcdef"}, True),
        ({"text": "see hunter2"}, True),
        ({"list": [{"deep": "hunter2"}]}, True),
        ({"x_hunter2": 1}, True),
    ],
)
def test_what_may_be_one(values: dict[str, Json], *, expected: bool):
    assert may_hold_secrets(values, {"DB_PASSWORD": "hunter2", "HOME": "gini"}) is expected
