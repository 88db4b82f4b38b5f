"""Known secrets in every way in which they may be written."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbmlops.core.known_secrets import MARK, KnownSecrets, is_searchable

AWKWARD = 'a"b\\c\nd é&<%20+/x1'
SECRETS = KnownSecrets({AWKWARD: "an awkward one", "hunter2": "a short one", "swordfish": "a word"})


@pytest.mark.parametrize(
    "form",
    [
        AWKWARD,
        json.dumps(AWKWARD)[1:-1],
        json.dumps(AWKWARD, ensure_ascii=False)[1:-1],
        repr(AWKWARD)[1:-1],
        html.escape(AWKWARD),
        quote(AWKWARD, safe=""),
        quote_plus(AWKWARD),
        base64.b64encode(AWKWARD.encode()).decode().rstrip("="),
    ],
)
def test_every_form_is_found(form: str):
    assert SECRETS.redact(f"before {form} after") == (f"before {MARK} after", frozenset({"an awkward one"}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hunter2", MARK),
        ("'hunter2'", f"'{MARK}'"),
        ("hunter21 xhunter2", "hunter21 xhunter2"),  # a short one counts as a word only
        ("swordfish swordfishes", f"{MARK} swordfishes"),
        ("\x1b[33mhun\x1b[0mter\x1b[39m2\x1b[0m", f"\x1b[33m{MARK}\x1b[0m"),
        ("\x1b[33mhunter2\x1b[0m", f"\x1b[33m{MARK}\x1b[0m"),
        ("a\x1b[33mhunter2\x1b[0m", "a\x1b[33mhunter2\x1b[0m"),
        ("\x1b[33mhun\x1b[0mter2\x1b[39m1", "\x1b[33mhun\x1b[0mter2\x1b[39m1"),
        ("\x1b[33mx\x1b[0m hunter21", "\x1b[33mx\x1b[0m hunter21"),
        ("nothing", "nothing"),
    ],
)
def test_what_is_left(text: str, expected: str):
    assert SECRETS.redact(text)[0] == expected


def test_lines_of_a_key_are_found_alone():
    key = "-----BEGIN X-----\nMIIEvQIBADANBgkqhkiG9w0\nAAAA\n-----END X-----"
    assert KnownSecrets({key: "key"}).redact("MIIEvQIBADANBgkqhkiG9w0")[0] == MARK


@pytest.mark.parametrize(("text", "expected"), [("on", False), ("model", False), ("abc1", True), ("hunter", True)])
def test_what_can_be_looked_for(text: str, *, expected: bool):
    assert is_searchable(text) is expected
    assert KnownSecrets({text: "x"}).redact(text)[0] == (MARK if expected else text)


@given(st.text(min_size=8), st.text(), st.text())
def test_a_long_secret_never_stays(secret: str, before: str, after: str):
    digits = f"{secret}12345678"  # never a plain word
    redacted, found = KnownSecrets({digits: "it"}).redact(f"{before}{digits}{after}")
    assert found == {"it"}
    assert digits not in redacted
