"""Which names hold secrets, and which texts look like keys."""

from __future__ import annotations

import pytest

from nbmlops.core.secret_names import Holds, has_entropy, holds, is_digest, looks_random

SECRET = [
    "password", "DB_PASSWORD", "dbPassword", "AWS_SECRET_ACCESS_KEY", "apiKey", "api_key", "OPENAI_API_KEY",
    "MLFLOW_TRACKING_PASSWORD", "client_secret", "GOOGLE_CREDENTIALS", "azure_storage_connection_string", "pwd",
]  # fmt: skip
MAYBE = ["token", "HF_TOKEN", "access_token", "key", "DATABASE_DSN", "webhook"]
NOTHING = [
    "PWD", "OLDPWD", "GPG_KEY", "tokenizer", "max_tokens_count", "password_file", "secret_name", "keyboard", "model",
    "passenger_count", "compass", "n_estimators", "", "API_KEY_ENV", "token_count",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, Holds.SECRET) for name in SECRET),
        *((name, Holds.MAYBE) for name in MAYBE),
        *((name, Holds.NOTHING) for name in NOTHING),
    ],
)
def test_what_a_name_says(name: str, expected: Holds):
    assert holds(name) is expected


@pytest.mark.parametrize(
    ("text", "random", "entropy"),
    [
        ("3f786850e387550fdab836ed7e6dc881de23001b", True, True),
        ("kJ8dh3Ks02mSlq9vXyB7tR1z", True, True),
        ("abcd1234efgh5678", True, False),  # random enough for a variable called token, not for any other
        ("hunter2", False, False),
        ("example_notebooks/flights/train_2026_data", True, False),
        ("meta-llama-3-8B-Instruct", True, False),
        ("aaaaaaaaaaaaaaaaaaaa1111", False, False),
        ("two words of text 1234567890", False, False),
        ("", False, False),
    ],
)
def test_what_looks_random(text: str, *, random: bool, entropy: bool):
    assert (looks_random(text), has_entropy(text)) == (random, entropy)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("commit", True), ("data_sha256", True), ("RUN_ID", True), ("uuid", True), ("x", False), ("shape", False)],
)
def test_what_names_a_digest(name: str, *, expected: bool):
    assert is_digest(name) is expected
