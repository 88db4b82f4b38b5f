"""Secrets that show by their form."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from nbmlops.tracking import secret_formats
from nbmlops.tracking.secret_formats import find_secrets, may_have_form, redact_addresses

# Written in parts, so that no scanner takes this file for a leak.
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEvQ\nabc\n-----END RSA " + "PRIVATE KEY-----"
OPENAI = "sk-proj-" + "aB1_" * 18 + "T3Blbk" + "FJ" + "xY2-" * 18
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"
TOKENS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "11ABCDEFG0" * 3,
    "hf_" + "aBcD1" * 7,
    "xoxb-" + "123456789012-1234567890123-abcdefghij",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "dapi" + "0123456789abcdef" * 2,
    "AIza" + "SyD-1234567890abcdefghijklmnopqrstu",
    OPENAI,
    JWT,
    PEM,
]
HARMLESS = [
    "RandomForestClassifier(n_estimators=100, max_depth=5)",
    "sha256:" + "ab" * 32,
    "3f786850e387550fdab836ed7e6dc881de23001b",
    "https://mlflow.example.org/#/experiments/1/runs/0123456789abcdef0123456789abcdef",
    "models:/m-0123456789abcdef0123456789abcdef",
    "data/year=2026/month=11/part-00000-c000.snappy.parquet",
    "2026-11-21T18:15:00.000000+00:00 INFO mlflow.store.db.utils: Creating initial tables",
    "s3://bucket/key@2x.png and git@github.com:owner/name.git",
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("text", ["{}", "token = '{}'", "use {} now\nand then", "<td>{}</td>"])
def test_keys_are_found_whole(token: str, text: str):
    found = text.format(token)
    assert may_have_form(found)
    assert token in [value for value, _ in find_secrets(found)]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret(text: str):
    assert list(find_secrets(text)) == []


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("postgresql://bob:pa:ss@db:5432/x", ["pa:ss"]),
        ("https://abcdefghij1234567890@host/x", ["abcdefghij1234567890"]),
        ("https://x/y?X-Amz-Signature=abcdef0123&page=2", ["abcdef0123"]),
        ("https://x/y?page=2&access_token=tok-12345#top", ["tok-12345"]),
        ("Authorization: Basic Ym9iOmh1bnRlcjI=", ["Ym9iOmh1bnRlcjI="]),
        ("{'Authorization': 'Bearer abcdefgh123'}", ["abcdefgh123"]),
    ],
)
def test_addresses_and_headers(text: str, secrets: list[str]):
    assert [value for value, _ in find_secrets(text)] == secrets


def test_passwords_of_addresses_go_however_short():
    text = "mysql://bob:pw@h/db and ftp://bob:x@h, http://h/a:b@c"
    assert redact_addresses(text, lambda _: True) == (
        "mysql://bob:[redacted]@h/db and ftp://bob:[redacted]@h, http://h/a:b@c"
    )
    assert redact_addresses(text, lambda _: False) == text


def test_a_secret_in_a_long_line_is_found_wherever_it_stands():
    token = TOKENS[0]
    for place in (0, 3_590, 3_990, 7_777, 19_979):
        line = ("x " * 10_000)[:place] + f" {token} " + "x " * 10_000
        assert token in [value for value, _ in find_secrets(line)]


def test_a_megabyte_of_hostile_text_is_read_in_linear_time():
    spent = []
    for count in (20_000, 80_000):
        text = "//a=A " * count
        begun = time.process_time()
        assert list(find_secrets(text)) == []
        spent.append(time.process_time() - begun)
    assert spent[1] < 16 * spent[0] + 1  # the square would be 16 times


WARNINGS = """
import warnings
shown = warnings.showwarning
from nbmlops.tracking.secret_formats import load_patterns
from nbmlops.tracking.secret_sources import assigned_secrets
load_patterns()
list(assigned_secrets("password = 'correct horse 7'"))
import sys
print("detect_secrets.plugins.keyword" in sys.modules, warnings.showwarning is shown)
"""


def test_a_users_warnings_are_shown_as_before():
    said = subprocess.run([sys.executable, "-c", WARNINGS], capture_output=True, text=True, check=True)
    assert said.stdout == "True True\n"


def test_numbers_names_and_paths_cost_no_closer_look(monkeypatch: pytest.MonkeyPatch):
    def refuse() -> None:
        raise AssertionError("the forms of all services were looked for")

    monkeypatch.setattr(secret_formats, "_patterns", refuse)
    rows = [{"id": n, "value": n / 7, "tiny": 1.5e-300 / (n + 1), "at": "2013-01-02 03:04:05"} for n in range(200)]
    assert list(find_secrets(json.dumps(rows))) == []
    assert list(find_secrets("data/raw/flights_by_carrier.parquet " * 500)) == []
    with pytest.raises(AssertionError, match="were looked for"):
        list(find_secrets(json.dumps(rows) + TOKENS[0]))
