"""Secrets that a cell assigns."""

from __future__ import annotations

import pytest

from nbmlops.tracking.secret_sources import assigned_secrets, is_distinct, quoted_passwords

RANDOM = "kJ8dh3Ks02mSlq9vXyB7tR1z"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('password = "ab\'c d1"', [("ab'c d1", "password", 1, True)]),
        ("import os\nos.environ['DB_PASSWORD'] = 'qwer-1'", [("qwer-1", "DB_PASSWORD", 2, True)]),
        ("os.environ.setdefault('API_KEY', 'qwer-1')", [("qwer-1", "API_KEY", 1, True)]),
        ("connect(user='bob', passwd='zz-9!')", [("zz-9!", "passwd", 1, True)]),
        ("settings = {'user': 'bob', 'password': 'zz-9!'}", [("zz-9!", "password", 1, True)]),
        ("def f(x, secret='q-12', *, pwd='r-34'): ...", [("q-12", "secret", 1, True), ("r-34", "pwd", 1, True)]),
        ("a, api_key = 1, 'k-12'", [("k-12", "api_key", 1, True)]),
        ("if password == 'k-12': pass", [("k-12", "password", 1, True)]),
        ("self.password: str = b'k-12'", [("k-12", "password", 1, True)]),
        ("(password := 'k-12')", [("k-12", "password", 1, True)]),
        (f"token = '{RANDOM}'", [(RANDOM, "token", 1, True)]),
        (f"x = '{RANDOM}'", [(RANDOM, "x", 1, False)]),
        ("%matplotlib inline\npassword = 'k-12'", [("k-12", "password", 2, True)]),
        ("!mysql --password='k-12 x'", [("k-12 x", "password", 1, True)]),
        ("%env DB_PASSWORD=qwer 1", [("qwer 1", "DB_PASSWORD", 1, True)]),
        ("x = 1\n%set_env API_KEY qwer-1", [("qwer-1", "API_KEY", 2, True)]),
        ("!PGPASSWORD=qwer1 psql --user bob", [("qwer1", "PGPASSWORD", 1, True)]),
        ("!mysql --password qwer1 -u bob", [("qwer1", "password", 1, True)]),
        ("%%bash\nexport DB_PASSWORD='a b c1'; ls", [("a b c1", "DB_PASSWORD", 2, True)]),
        ("!x --password $PW --token $(get) --secret {secret} --password-file=a.txt", []),
        ("connect('host=db user=bob password=k-12 sslmode=on')", [("k-12", "password", 1, True)]),
        ("connect('Driver={x};Server=db;Uid=bob;Pwd=k-12;')", [("k-12", "Pwd", 1, True)]),
        ("connect(f'host={h} user=bob password={p}'); connect('host=%s password=%s' % a)", []),
        ("'select 1 from users where user = 1 and password = \"k-12\"'; 'say password=k-12'", []),
        ("%env DB_PASSWORD", []),
        ("GOOGLE_APPLICATION_CREDENTIALS = 'keys/service_key.json'", []),
        ("password = 'k-12' if", [("k-12", "password", 1, True)]),
        (f"commit = '{RANDOM}'", []),
        ("pad_token = '<pad>'; eos_token = '</s>'", []),
        ("password = ''; secret = None; pwd = '***'; api_key = '<your key>'", []),
        ("dtypes = {'password': 'string', 'secret': 'float64'}", []),
        ("df['password'].nunique()", []),
        ("password_file = '/run/secrets/db'; tokenizer = 'bert-base-uncased'", []),
        ("", []),
    ],
)
def test_what_is_found(source: str, found: list[tuple[str, str, int, bool]]):
    assert [(one.value, one.name, one.line, one.certain) for one in assigned_secrets(source)] == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [("hunter2", True), ("zz-9!", False), ("target_column", False), ("p@ssword", True), ("123456", False)],
)
def test_what_is_worth_looking_for_elsewhere(text: str, *, expected: bool):
    assert is_distinct(text) is expected


def test_passwords_in_any_text():
    text = "Config(user='bob', password='k-12')\npassword: none given\n\"api_key\": \"abc-9\""
    assert [(one.value, one.line) for one in quoted_passwords(text)] == [("k-12", 1), ("abc-9", 3)]
