"""Behaviour tests end the same in a notebook, in the pipeline that is compiled from it, and on the command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from nbmlops.cli.main import main
from nbmlops.core.records import BehaviourRecord
from nbmlops.tracking.behaviour import behaviours_in
from nbmlops.tracking.lineage import VERDICT_DIGEST, VERDICT_SUMMARY
from nbmlops.tracking.mlflow_tracker import MlflowTracker

pytestmark = pytest.mark.slow

RULES = """\
[[gate.rules]]
name = "behaves"
fact = "failed_tests"

[[gate.rules]]
fact = "failed_tests"
of = "test_more_is_more"
"""
CHECKS = """\
from nbmlops.api import invariance


def test_blind_to_order(model, rows):
    invariance(model(rows), model(rows[::-1]))
"""
TESTS = """\
def test_more_is_more(model, rows):
    directional(model(rows), model(rows + 1), 'up', by=2.0)


def test_bound(model, rows):
    assert model(rows).max() < bound  # never


def test_breaks(rows, seed=1):
    rows.nothing"""
CELLS = (
    ("import numpy as np\nfrom nbmlops.api import directional\nimport checks", "imports"),
    ("%load_ext nbmlops\n%mlops track",),
    ("rows = np.arange(5.0)\nbound = 3\n\n\ndef model(x):\n    return x * 2", "step:load"),
    (TESTS, "step:behaviour", "test"),
    ("%mlops test checks(model, rows)",),
    ("%mlops gate",),
)


def judged(root: Path) -> tuple[tuple[BehaviourRecord, ...], str, str]:
    """The behaviour tests of the newest run, the digest of the verdict on it, and its summary."""
    with closing(sqlite3.connect(root / "mlflow.db")) as store:
        ((run_id,),) = store.execute("select run_uuid from runs order by start_time desc limit 1")
    tags = MlflowTracker(f"sqlite:///{root}/mlflow.db", root).run_facts(run_id).tags
    return behaviours_in(tags), tags[VERDICT_DIGEST], tags[VERDICT_SUMMARY]


def test_behaviour_tests_end_the_same_through_all_doors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": tags}) for source, *tags in CELLS]
    path = tmp_path / "risk.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    (tmp_path / "checks.py").write_text(CHECKS)
    (tmp_path / "nbmlops.toml").write_text(RULES)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(nbformat.read(path, 4), timeout=120, kernel_name="python3", resources=resources).execute()
    found = [judged(tmp_path)]
    monkeypatch.chdir(tmp_path)
    for command in (["compile", "risk.ipynb"], ["run", "risk"], ["gate", "risk"]):
        assert main(command) == (0 if command[0] == "compile" else 3)
        found.append(judged(tmp_path))
    by_notebook, _, by_pipeline, by_command = found
    assert by_notebook == by_pipeline == by_command
    tests, _, summary = by_notebook
    assert summary == "FAIL (1 of 2 rules passed)"
    assert {record.name: (record.outcome.value, record.message) for record in tests} == {
        "test_more_is_more": ("pass", ""),
        "test_bound": ("fail", "does not hold: assert model(rows).max() < bound # never"),
        "test_breaks": ("error", "AttributeError: 'numpy.ndarray' object has no attribute 'nothing'"),
        "test_blind_to_order": (
            "fail",
            "4 of 5 rows (80 %) broke 'does not change'; for example row 0: 0 -> 8, row 1: 2 -> 6, row 3: 6 -> 2",
        ),
    }
