"""What goes to the process that speaks to the stores, and comes from it; with real ones: tests/integration."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import Ridge

from nbmlops.app.session.store_process import RemoteStores, StoreProcess, _loaded
from nbmlops.app.session.store_process_main import ERROR, RESULT
from nbmlops.core.errors import EnvironmentFault
from nbmlops.gate.verdict import Verdict
from nbmlops.pipeline.run_record import Lineage
from nbmlops.registry.registry import Candidate

HIDDEN = "[redacted]"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    made: list[tuple[object, ...]] = []
    monkeypatch.setattr(StoreProcess, "call", lambda _self, *arguments, **_named: made.append(arguments))
    return made


def test_secrets_of_this_process_do_not_go_there(
    calls: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    stores = RemoteStores(tmp_path, "sqlite:///mlflow.db")
    monkeypatch.setenv("CELL_PASSWORD", "hunter2-x")  # a cell sets it; the other process has begun
    stores.tracker.set_tags("r", {"hunter2-x.name": "see hunter2-x"})
    stores.tracker.log_document("r", "a.json", {"note": "hunter2-x"})
    schema, profile = {"columns": ["hunter2-x"]}, {"top": [["hunter2-x", 3]]}
    candidate = Candidate("m", "r", Ridge(), "d", [[1]], Lineage(), schema=schema, profile=profile)
    stores.registry.add(candidate, Verdict(True, ()))
    (_, _, candidate, _) = calls.pop()
    assert (candidate.schema, candidate.profile) == ({"columns": [HIDDEN]}, {"top": [[HIDDEN, 3]]})
    assert calls == [
        ("tracker", "set_tags", "r", {"hunter2-x.name": f"see {HIDDEN}"}),
        ("tracker", "log_document", "r", "a.json", {"note": HIDDEN}),
    ]


def test_an_answer_that_cannot_be_read_is_an_error_and_not_waited_for():
    assert _loaded(pickle.dumps((RESULT, (1, "a")))) == (RESULT, (1, "a"))
    kind, error = _loaded(b"no pickle")
    assert (kind, type(error)) == (ERROR, EnvironmentFault)
    assert str(error).startswith("the answer of the tracking store cannot be read here: UnpicklingError")
