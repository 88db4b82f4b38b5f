"""Looking at live values: what is seen, and that looking leaves no trace."""

import random
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbmlops.data.fingerprints.fingerprint import fingerprint_for_comparing
from nbmlops.runtime.handover import codecs
from nbmlops.runtime.store.store import Store
from nbmlops.runtime.witness.looks import Looker, bound
from nbmlops.runtime.witness.records import SeenValue

HOMES = frozenset({"__main__", "churn"})


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module `__main__` with code of a notebook."""
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    exec("class Box:\n    def __init__(self, x):\n        self.x = x\ndef helper():\n    return 1", vars(module))
    return module


def test_values_of_the_notebooks_own_classes_are_seen_and_stored(notebook: Any, tmp_path: Path) -> None:
    store = Store(tmp_path)
    (seen,), groups = Looker(HOMES, store).look({"box": notebook.Box([1])})
    assert seen.codec is not None
    assert seen.ref is not None
    assert [seen.type, seen.fingerprint] == ["__main__.Box", fingerprint_for_comparing(notebook.Box([1]), HOMES)]
    assert codecs.decode(seen.codec, seen.ref, store).x == [1]
    assert groups == ()


def test_names_that_share_are_grouped() -> None:
    items, base = [1], np.arange(6.0)
    values = {"a": items, "b": {"k": items}, "c": [1], "base": base, "view": base[2:], "other": base.copy()}
    assert Looker(HOMES).look(values)[1] == (("a", "b"), ("base", "view"))


def test_a_value_without_a_fingerprint_says_why() -> None:
    with Path(__file__).open() as stream:
        (seen,), groups = Looker(HOMES).look({"handle": [stream]})
    assert seen == SeenValue("handle", "list", "", "[0]: _io.TextIOWrapper: cannot pickle '_io.TextIOWrapper' object")
    assert groups == ()


class Loud:
    """Its reduction draws numbers, prints and warns."""

    def __reduce__(self) -> Any:
        random.random()
        np.random.rand()
        warnings.warn("loud", stacklevel=1)
        return Loud, ()


def test_looking_leaves_no_trace(capsys: pytest.CaptureFixture[str]) -> None:
    random.seed(1)
    np.random.seed(1)
    expected = [random.Random(1).random(), np.random.RandomState(1).rand()]
    Looker(HOMES).look({"loud": Loud()})
    assert [random.random(), np.random.rand()] == expected
    assert tuple(capsys.readouterr()) == ("", "")


def test_a_value_that_did_not_change_is_stored_once(tmp_path: Path) -> None:
    looker = Looker(HOMES, Store(tmp_path))
    first, again = looker.look({"a": [1]})[0][0], looker.look({"a": [1]})[0][0]
    assert first is again
    assert looker.look({"a": [2]})[0][0].ref != first.ref


def test_names_that_are_not_bound_are_left_out() -> None:
    assert bound({"a": 1, "b": None}, ("b", "c", "a")) == {"b": None, "a": 1}
