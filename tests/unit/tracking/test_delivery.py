from __future__ import annotations

import pytest

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.pipeline.run_record import DataRecord, MetricValue, StepLog
from nbmlops.tracking.cells import CellOutcome, CellRun, CellValues, ValueSeen
from nbmlops.tracking.delivery import (
    Delivery,
    cell_entry,
    end_entry,
    log_entry,
    start_entry,
    tags_entry,
    values_entry,
)
from nbmlops.tracking.process import ProcessMark
from nbmlops.tracking.tracker import RunStart, RunState
from tests.fakes.in_memory import InMemoryTracker

START = start_entry(
    RunStart("demo", "line", {"nbmlops.pipeline": "line"}, "line.ipynb", ProcessMark(7, "host", "1"), 5),
    "http://host",
    "k1",
)
LOG = StepLog({"depth": 3}, (MetricValue("auc", float("nan")),), (DataRecord("flights", "f" * 32, "frame"),))
VALUES = values_entry(
    1, CellValues({"df": ValueSeen("frame", "pandas.DataFrame", (2, 1), why="busy")}, {"df": "e" * 32})
)
CELL = CellRun("x = 1", "a", 1, 5, 0.5, CellOutcome.DONE)


def test_a_run_is_told_from_start_to_end():
    tracker = InMemoryTracker()
    delivery = Delivery(tracker)
    end = end_entry(RunState.FINISHED, 9)
    for entry in (START, VALUES, cell_entry(CELL), cell_entry(CELL), log_entry(LOG, 6), tags_entry({"a": "b"}), end):
        delivery.send(entry)
    (run,) = tracker.runs.values()
    assert delivery.facts is not None
    assert (run.run_id, run.name, run.experiment, run.state) == (
        delivery.facts.run_id, "line", "demo", RunState.FINISHED,
    )  # fmt: skip
    assert run.tags == {
        "nbmlops.pipeline": "line",
        "nbmlops.session": "k1",
        "nbmlops.run_id": run.run_id,
        "nbmlops.data.flights": "f" * 32,
        "a": "b",
    }
    assert repr(tracker.logs[run.run_id]) == repr([LOG])
    assert tracker.documents == {
        (run.run_id, "nbmlops/cells.json"): {
            "schema": "nbmlops/cells/1",
            "runs": [
                {**CELL.to_json(), "made": {}, "used": {}},
                {
                    **CELL.to_json(),
                    "made": {
                        "df": {
                            "kind": "frame",
                            "type": "pandas.DataFrame",
                            "shape": [2, 1],
                            "digest": "",
                            "why": "busy",
                        }
                    },
                    "used": {"df": "e" * 32},
                },
            ],
        }
    }


def test_a_start_that_is_sent_again_finds_its_run():
    tracker = InMemoryTracker()
    for _ in range(2):
        delivery = Delivery(tracker)
        delivery.send(START)
    assert len(tracker.runs) == 1


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (log_entry(LOG, 1), "the spool does not begin with the start of a run"),
        ({"kind": "dance"}, "the spool does not begin with the start of a run"),
        ({"type": "log"}, "spool: kind is missing"),
    ],
)
def test_entries_that_make_no_sense_are_refused(entry, text: str):
    with pytest.raises(UsageError, match=text):
        Delivery(InMemoryTracker()).send(entry)


def test_what_belongs_to_a_run_that_was_deleted_is_kept():
    tracker = InMemoryTracker()
    delivery = Delivery(tracker)
    delivery.send(START)
    tracker.runs.clear()
    with pytest.raises(EnvironmentFault, match="there is no run"):
        delivery.send(log_entry(LOG, 6))
    with pytest.raises(EnvironmentFault, match="the run that the spool k1 belongs to is no longer in the store"):
        Delivery(tracker, begun=True).send(START)
    assert tracker.runs == {}


def test_a_run_that_another_kernel_began_goes_on_and_keeps_its_cells():
    tracker = InMemoryTracker()
    first = Delivery(tracker)
    for entry in (START, cell_entry(CELL), end_entry(RunState.KILLED, 9)):
        first.send(entry)
    (run_id,) = tracker.runs
    start = RunStart("demo", "line", {}, "line.ipynb", ProcessMark(8, "host", "2"), 10)
    resumed = start_entry(start, "http://host", "k2", run_id)
    for _ in range(2):  # the second time is the crash between sending and noting
        second = Delivery(tracker)
        second.send(resumed)
        assert (second.facts is not None and second.facts.run_id, len(tracker.runs)) == (run_id, 1)
        second.send(cell_entry(CELL))
        second.send(end_entry(RunState.FINISHED, 12))
        run = {**CELL.to_json(), "made": {}, "used": {}}
        assert tracker.documents[run_id, "nbmlops/cells.json"] == {
            "schema": "nbmlops/cells/1",
            "runs": [run, run],
            "session": "k2",
            "earlier": 1,
        }
    assert tracker.runs[run_id].state is RunState.FINISHED
