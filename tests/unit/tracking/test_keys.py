from __future__ import annotations

import hashlib

import pytest

from nbmlops.core.errors import UsageError
from nbmlops.tracking.keys import StoredText, check_key, quoted, stored_text


@pytest.mark.parametrize("name", ["auc", "test/auc", "precision at 10", "größe", "a.b-c:d", "x" * 250])
def test_names_that_every_store_takes(name: str) -> None:
    assert check_key("metric", name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a//b", "../a", "/a", "a/../b", "a/", "precision@10", "a\nb", "a\0", "x" * 251]
)
def test_names_that_some_store_refuses_are_refused_with_the_name(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_key("metric", name)
    shown = repr(name if len(name) <= 80 else name[:80] + "…")
    assert caught.value.message == f"{shown} cannot be the name of a metric in MLflow"


def test_a_text_that_fits_is_stored_as_it_is() -> None:
    assert stored_text("x" * 6000, 6000) == StoredText("x" * 6000)


def test_a_longer_text_becomes_a_reference_to_an_artifact_with_all_of_it() -> None:
    text = "x" * 6001
    digest = hashlib.sha256(text.encode()).hexdigest()
    artifact = f"nbmlops/values/{digest}.txt"
    assert stored_text(text, 6000) == StoredText(
        f"6001 characters, sha256 {digest}, see artifact {artifact}", text, artifact
    )


def test_quoting_for_searches() -> None:
    assert [quoted("a b"), quoted("it's")] == ["'a b'", '"it\'s"']
    with pytest.raises(UsageError, match="both kinds of quotes"):
        quoted("'\"")


def test_what_no_store_takes_is_escaped() -> None:
    assert stored_text("half \ud83d, none \0", 100) == StoredText("half \\ud83d, none \\x00")
