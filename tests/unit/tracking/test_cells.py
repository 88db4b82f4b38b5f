from __future__ import annotations

from nbmlops.tracking import cells
from nbmlops.tracking.cells import CellOutcome, CellRecord, CellRun


def test_a_run_is_stored_without_its_source():
    run = CellRun(
        "x = 1", "a1", 3, 1_700_000_000_000, 0.25, CellOutcome.FAILED, "ValueError", (("a.csv", "audit"),), ("b.csv",)
    )
    assert run.to_json() == {
        "cell": "a1",
        "count": 3,
        "source_sha256": "8ff436def1451285599a1b1ad70800493b8dcafde2912e1a38345633054e4c26",
        "started": 1_700_000_000_000,
        "seconds": 0.25,
        "outcome": "failed",
        "error": "ValueError",
        "read": {"a.csv": "audit"},
        "wrote": ["b.csv"],
    }


def test_half_characters_have_a_digest():
    assert len(CellRun("x = '\ud800'").digest) == 64


def test_cells_are_kept_in_order_after_those_before_the_run():
    record = CellRecord(["import os"])
    record.add(CellRun("x = 1", "a"))
    record.add(CellRun("x = 2", "a"))
    assert record.runs == (CellRun("import os"), CellRun("x = 1", "a"), CellRun("x = 2", "a"))


def test_deleted_cells_are_remembered_until_they_run_again():
    record = CellRecord()
    record.add(CellRun("x", "a"), ["b", "c"])
    record.add(CellRun("y", "b"))
    assert record.deleted == {"c"}


def test_a_loop_that_runs_cells_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(cells, "MOST_RUNS", 2)
    record = CellRecord()
    for number in range(5):
        record.add(CellRun(str(number)))
    assert [run.source for run in record.runs] == ["3", "4"]
