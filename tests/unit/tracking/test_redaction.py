"""Taking secrets out of texts and documents, and telling what was taken out."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbmlops.core.diagnostics import Json
from nbmlops.core.secret_settings import SecretSettings
from nbmlops.tracking import redaction
from nbmlops.tracking.redaction import Redactor

RANDOM = "kJ8dh3Ks02mSlq9vXyB7tR1z"
KEY = "AKIA" + "IOSFODNN7EXAMPLE"


def redactor(
    environment: dict[str, str] | None = None,
    files: Iterable[tuple[str, str]] = (),
    settings: SecretSettings | None = None,
) -> Redactor:
    return Redactor(environment if environment is not None else {}, lambda: files, lambda: settings or SecretSettings())


def told(redactor: Redactor) -> list[str]:
    return [str(one) for one in redactor.found]


def test_variables_whose_names_say_so():
    ours = redactor({"DB_PASSWORD": "hunter2-x", "HF_TOKEN": "abcdefgh", "HOME": "/home/hunter", "PWD": "/home/here"})
    text = ours.text("hunter2-x, abcdefgh, /home/hunter, /home/here", "a text")
    assert text == "[redacted], [redacted], /home/hunter, /home/here"
    assert told(ours) == ["value of DB_PASSWORD in a text", "value of HF_TOKEN in a text"]


def test_a_variable_that_a_cell_sets_is_known_from_then_on():
    environment = {"DB_PASSWORD": "first-1", "HOME": "/home/me"}
    ours = redactor(environment)
    assert ours.text("first-1 second-2 third-3", "t") == "[redacted] second-2 third-3"
    environment["DB_PASSWORD"] = "second-2"
    environment["API_KEY"] = "third-3"
    assert ours.text("second-2 third-3", "t") == "[redacted] [redacted]"
    del environment["HOME"]
    environment["OTHER_KEY"] = "another-4"
    assert ours.text("another-4", "t") == "[redacted]"


def test_no_text_goes_out_while_another_thread_learns_what_is_secret(monkeypatch: pytest.MonkeyPatch):
    reached, goes_on = threading.Event(), threading.Event()
    real = redaction.assigned_secrets

    def slow(source: str) -> object:
        reached.set()
        assert goes_on.wait(30)
        return real(source)

    monkeypatch.setattr(redaction, "assigned_secrets", slow)
    ours, out = redactor(), list[str]()
    ours.learn_later("password = 'hunter2-x'")
    threads = [threading.Thread(target=lambda: out.append(ours.text("see hunter2-x", "t"))) for _ in range(2)]
    threads[0].start()
    assert reached.wait(30)
    threads[1].start()
    threads[1].join(0.1)
    goes_on.set()
    for thread in threads:
        thread.join(30)
    assert out == ["see [redacted]"] * 2


def test_passwords_of_addresses_in_the_environment_and_the_settings():
    environment = {"MLFLOW_TRACKING_URI": "https://bob:s3cr%40t-1@host"}
    ours = redactor(environment, settings=SecretSettings(address="postgresql://x:other-22@h/db"))
    assert ours.text("s3cr%40t-1 s3cr@t-1 other-22 bob", "t") == "[redacted] [redacted] [redacted] bob"


def test_credentials_of_files():
    ours = redactor(files=[("tok-12345", "password of host in .netrc")])
    assert (ours.text("a tok-12345", "t"), told(ours)) == ("a [redacted]", ["password of host in .netrc in t"])


def test_what_was_found_once_is_known_everywhere():
    ours = redactor()
    ours.learn("password = 'hunter2-x'\nname = 'swordfish'")
    assert ours.document({"note": ["hunter2-x", "swordfish", {"hunter2-x": 1}]}, "d") == {
        "note": ["[redacted]", "swordfish", {"[redacted]": 1}]
    }
    assert ours.text(f"key {KEY}", "t") == "key [redacted]"


def test_a_plain_word_is_taken_out_only_where_it_is_assigned():
    ours = redactor()
    assert ours.value("password", "swordfish", "parameter password") == "[redacted]"
    assert ours.source("password = 'swordfish'", "cell 1") == "password = '[redacted]'"
    assert ours.text("swordfish", "t") == "swordfish"


def test_random_text_is_taken_out_only_where_it_is_assigned():
    ours = redactor()
    assert ours.source(f"x = '{RANDOM}'\nprint('{RANDOM}')", "cell 1") == "x = '[redacted]'\nprint('[redacted]')"
    assert ours.document({"params": {"x": RANDOM, "commit": RANDOM}}, "run") == {
        "params": {"x": "[redacted]", "commit": RANDOM}
    }
    assert ours.text(RANDOM, "t") == RANDOM
    assert told(ours) == ["random text in cell 1", "random text in run params x"]


def test_numbers():
    ours = redactor({"DB_PASSWORD": "12345678"})
    document: Json = {"params": {"pin": 12345678, "n": 5, "password": 4711, "flag": True}, "rows": 12345678}
    assert ours.document(document, "run") == {
        "params": {"pin": "[redacted]", "n": 5, "password": "[redacted]", "flag": True},
        "rows": "[redacted]",
    }
    assert ours.value("secrets", 5, "run") == 5


def test_what_is_allowed_stays():
    settings = SecretSettings(frozenset({"DB_PASSWORD", KEY, "api_key", "swordfish-1"}))
    ours = redactor({"DB_PASSWORD": "hunter2-x"}, settings=settings)
    source = f"api_key = 'abc-1234'; password = 'swordfish-1'; x = '{KEY}'"
    assert ours.source(source, "cell 1") == source
    assert ours.text(f"hunter2-x {KEY}", "t") == f"hunter2-x {KEY}"
    assert ours.document({"params": {"api_key": "abc-1234"}}, "d") == {"params": {"api_key": "abc-1234"}}
    assert ours.found == ()


def test_keys_that_are_plain_words_stay():
    ours = redactor({"JUPYTER_TOKEN": "notebook", "DB_PASSWORD": "abcdefghijklmnopqrst"})
    document: Json = {"notebook": "notebook", "cells": {"a.notebook": 1, "abcdefghijklmnopqrst": 2}}
    assert ours.document(document, "d") == {"notebook": "[redacted]", "cells": {"a.[redacted]": 1, "[redacted]": 2}}


def test_more_variables_can_be_named():
    ours = redactor({"WAREHOUSE": "hunter2-x"}, settings=SecretSettings(variables=frozenset({"WAREHOUSE"})))
    assert ours.text("hunter2-x", "t") == "[redacted]"


def test_documents_of_ours_are_left_as_they_are():
    document: Json = {
        "schema": "nbmlops/run/1",
        "key": "ab" * 32,
        "steps": [{"name": "load", "status": "executed", "log": {"params": {"n": 1}, "metrics": [1.5, None]}}],
        "lineage": {"git_commit": "3f786850e387550fdab836ed7e6dc881de23001b-dirty"},
    }
    ours = redactor({"TOKEN": "abcdefgh"})
    assert ours.document(document, "run.json") == document
    assert ours.found == ()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_redacting_twice_is_redacting_once(document: Json):
    ours = redactor({"DB_PASSWORD": "hunter2-x"})
    once = ours.document(["hunter2-x", document], "d")
    assert ours.document(once, "d") == once
