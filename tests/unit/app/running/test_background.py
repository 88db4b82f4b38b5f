from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from nbmlops.app.running.background import BackgroundRun
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.pipeline.run_record import MetricValue, StepLog
from nbmlops.tracking.tracker import RunFacts, RunStart, RunState, Tracker


class MemoryTracker:
    """A tracking store in memory, which is out of order after `sound` calls of `log_step`."""

    uri = "memory:"

    def __init__(self, sound: int = 99) -> None:
        self.sound = sound
        self.logs: list[StepLog] = []

    def start_run(self, start: RunStart) -> RunFacts:
        return RunFacts("r1", start.name, start.experiment, RunState.RUNNING)

    def log_step(self, run_id: str, log: StepLog, at: int = 0) -> None:
        assert run_id == "r1"
        if len(self.logs) >= self.sound:
            raise EnvironmentFault("the store is gone")
        self.logs.append(log)

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        raise NotImplementedError

    def log_artifacts(self, run_id: str, path: Path, folder: str = "") -> None:
        raise NotImplementedError

    def log_document(self, run_id: str, name: str, document: Mapping[str, object]) -> None:
        raise NotImplementedError

    def end_run(self, run_id: str, state: RunState, at: int = 0) -> None:
        raise NotImplementedError

    def run_facts(self, run_id: str) -> RunFacts:
        raise UsageError(run_id)

    def latest_run(self, experiment: str, tags: Mapping[str, str]) -> RunFacts | None:
        return None

    def mark_killed(self, experiment: str) -> tuple[str, ...]:
        return ()


START = RunStart("flights", "calm-otter")
LOGS = [StepLog(metrics=(MetricValue("auc", value),)) for value in (0.1, 0.2, 0.3)]


def test_nothing_is_made_until_the_run_begins_and_then_everything_is_sent_in_order() -> None:
    tracker = MemoryTracker()
    made: list[Tracker] = []

    def make() -> Tracker:
        made.append(tracker)
        return tracker

    run = BackgroundRun(make, lambda: START)
    run.log(LOGS[0])
    assert not run.has_begun
    assert made == []
    run.begin()
    run.begin()
    run.log(LOGS[1])
    assert run.wait() == (tracker, RunFacts("r1", "calm-otter", "flights", RunState.RUNNING))
    run.log(LOGS[2])
    run.wait()
    run.close()
    assert (tracker.logs, len(made)) == (LOGS, 1)


def test_a_store_that_fails_is_told_with_the_next_step() -> None:
    def make() -> Tracker:
        raise EnvironmentFault("the store is locked")

    run = BackgroundRun(make, lambda: START)
    run.begin()
    with pytest.raises(EnvironmentFault, match="locked"):
        run.wait()
    with pytest.raises(EnvironmentFault, match="locked"):
        run.log(LOGS[0])
    run.close()


def test_a_store_that_fails_later_is_told_too() -> None:
    run = BackgroundRun(lambda: MemoryTracker(sound=1), lambda: START)
    run.begin()
    run.log(LOGS[0])
    run.wait()
    run.log(LOGS[1])
    with pytest.raises(EnvironmentFault, match="gone"):
        run.wait()
    run.close()


def test_the_run_can_be_ended_although_something_could_not_be_logged() -> None:
    tracked = BackgroundRun(lambda: MemoryTracker(sound=0), lambda: START)
    tracked.log(LOGS[0])
    tracked.begin()
    with pytest.raises(EnvironmentFault, match="the store is gone"):
        tracked.wait()
    assert tracked.started()[1].run_id == "r1"
    tracked.close()


def test_modules_are_imported_in_the_background_and_a_missing_one_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_ahead.py").write_text("import threading\nthread = threading.current_thread().name\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "imported_ahead", raising=False)
    tracker = MemoryTracker()
    run = BackgroundRun(lambda: tracker, lambda: START)
    run.import_ahead(["imported_ahead"])
    assert "imported_ahead" not in sys.modules
    run.begin()
    run.import_ahead(["no_such_module", "imported_ahead"])
    run.log(LOGS[0])
    run.wait()
    run.close()
    assert sys.modules["imported_ahead"].thread.startswith("nbmlops-tracking")
    assert tracker.logs == LOGS[:1]
