"""What of a notebook is kept with its run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from nbmlops.app.session.notebook_upload import Keep, keep_step, stripped, tell_notebook
from nbmlops.tracking.cells import CellRun
from nbmlops.tracking.tracker import RunStart
from tests.fakes.in_memory import InMemoryTracker
from tests.fakes.session_store import MemoryStore

OUTPUT = {"output_type": "stream", "name": "stdout", "text": "hunter2-x\n"}
NOTEBOOK: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3"}, "widgets": {"a": 1}, "papermill": {"b": 1}},
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Title"},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {"tags": ["step:x"], "execution": {"iopub": "now"}},
            "execution_count": 3,
            "source": "password = 'hunter2-x'",
            "outputs": [
                OUTPUT,
                {"output_type": "display_data", "metadata": {"a": "hunter2-x"}, "data": {"application/json": [1.5]}},
            ],
        },
    ],
}
CODE = {**NOTEBOOK["cells"][1], "metadata": {"tags": ["step:x"]}, "execution_count": None, "outputs": []}
STRIPPED = {**NOTEBOOK, "metadata": {"kernelspec": {"name": "python3"}}, "cells": [NOTEBOOK["cells"][0], CODE]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(NOTEBOOK))
    os.utime(path, (1_000, 1_000))
    return path


def without_secret(notebook: dict[str, Any]) -> Any:
    return json.loads(json.dumps(notebook).replace("hunter2-x", "[redacted]"))


def test_stripped():
    assert stripped(NOTEBOOK) == STRIPPED
    assert NOTEBOOK["cells"][1]["outputs"][0] is OUTPUT


def test_whole_and_stripped_without_secrets(path: Path):
    store = MemoryStore()
    tell_notebook(store, path, "whole", [CellRun("x", started=999_000)])
    assert store.documents == {"notebooks/a.ipynb": without_secret(NOTEBOOK)}
    assert store.tags == {"nbmlops.notebook": "whole, as saved 1970-01-01T00:16:40+00:00"}
    tell_notebook(store, path, "stripped", [CellRun("x", started=1_000_001), CellRun("y", started=1_000_002)])
    assert store.documents == {"notebooks/a.ipynb": without_secret(STRIPPED)}
    assert store.tags == {
        "nbmlops.notebook": "stripped, as saved 1970-01-01T00:16:40+00:00; 2 cells ran after that",
    }


def test_nothing(path: Path):
    store = MemoryStore()
    tell_notebook(store, path, "no", [])
    tell_notebook(store, path.with_name("gone.ipynb"), "whole", [])
    path.write_text("{")
    tell_notebook(store, path, "whole", [])
    assert (store.documents, store.tags) == ({}, {})
    path.write_text("[]")
    tell_notebook(store, path, "whole", [])
    assert store.tags == {"nbmlops.notebook": "not kept: a.ipynb is larger than 32 MB, or no notebook"}


@pytest.mark.parametrize(
    "broken",
    [
        {"cells": [1]},
        {"cells": [], "metadata": None},
        {"cells": [{"cell_type": "code", "metadata": []}]},
        {"cells": [{"cell_type": "code", "outputs": None}]},
        {"cells": [{"cell_type": "code", "outputs": ["x"]}]},
        {"cells": [{"cell_type": "code", "outputs": [{"data": None}]}]},
        {"cells": [{"cell_type": "code", "outputs": [{"traceback": None}]}]},
    ],
)
@pytest.mark.parametrize("keep", ["whole", "stripped"])
def test_what_is_built_otherwise_ends_no_run_in_an_error(path: Path, keep: Keep, broken: object):
    store = MemoryStore()
    path.write_text(json.dumps(broken))
    tell_notebook(store, path, keep, [])
    assert (store.documents, list(store.tags)) == ({}, ["nbmlops.notebook"])


def test_executed_step_notebooks(path: Path):
    tracker = InMemoryTracker()
    run_id = tracker.start_run(RunStart("demo")).run_id
    keep_step(tracker, run_id, path, "no")
    assert (tracker.documents, tracker.files) == ({}, {})
    keep_step(tracker, run_id, path, "stripped")
    assert (tracker.documents, tracker.files) == ({(run_id, "notebooks/a.ipynb"): STRIPPED}, {})
    keep_step(tracker, run_id, path, "whole")
    assert tracker.files == {run_id: ["notebooks/a.ipynb"]}
