from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from nbmlops.pipeline.ir import Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import MetricValue, StepError, StepLog, StepRecord, StepStatus
from nbmlops.runtime.ambient.ambient import AmbientState
from nbmlops.runtime.layout import Layout
from nbmlops.runtime.reuse.plan import step_key
from nbmlops.runtime.reuse.records import CacheRecord, KeyParts, StepOutcome
from nbmlops.runtime.schedule.accounts import Accounts
from nbmlops.runtime.schedule.crew import Over, Ready, Result, Running
from nbmlops.runtime.schedule.execute import Completed, Ending, TimedOut
from nbmlops.runtime.schedule.executed import result_of
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.steps.context import StepContext, StepReport

PARTS = KeyParts("code", {}, {}, {}, {})
STEP = Step("fit", "fit", StepMode.FUNCTION, "", (), (), (), (), (), (), (), ("fit",), "notebooks/fit.ipynb", "code")
LOG = StepLog(metrics=(MetricValue("auc", 0.5),))
OUTCOME = StepOutcome(log=LOG, modules=("numpy", "mine"), peak=7)


def told(root: Path, ending: Ending, report: StepReport, *, strict: bool = False) -> Result:
    """Returns what a step that ran for two seconds gave."""
    layout = Layout(root / "pipelines" / "p", root, "p", root, "p.ipynb")
    pipeline = Pipeline("p", "", "../../p.ipynb", "../..", "", {}, "", (), (STEP,))
    accounts = Accounts("run", pipeline, layout, RunOptions(strict=strict, base=root), {}, {"numpy": "2.0"})
    target = layout.runs / "run" / "fit.ipynb"
    target.parent.mkdir(parents=True)
    target.touch()
    ready = Ready(STEP, PARTS, StepContext("fit", layout.folder, {}, AmbientState(None, {}), None), "new")
    lane = cast("Any", SimpleNamespace(is_warm=True))
    running = Running(ready, lane, datetime(2026, 1, 1, tzinfo=UTC), 1, is_early=False)
    return result_of(Over(running, ending, report, 2, 2.0), target, accounts)


def record(log: StepLog, peak: int = 0) -> StepRecord:
    return StepRecord(
        name="fit",
        status=StepStatus.EXECUTED,
        seconds=2.0,
        notebook="runs/p/run/fit.ipynb",
        log=log,
        key=step_key("fit", PARTS),
        reason="new",
        start="warm",
        peak=peak,
        begun="2026-01-01T00:00:00.000+00:00",
    )


def test_a_step_that_succeeded_is_kept_with_the_libraries_that_it_used(tmp_path: Path) -> None:
    result = told(tmp_path, Completed(), StepReport(OUTCOME, LOG, None))
    expected = record(LOG, 7)
    kept = CacheRecord(
        step="fit",
        key=expected.key,
        parts=PARTS,
        outcome=OUTCOME,
        libraries={"numpy": "2.0"},
        notebook="runs/p/run/fit.ipynb",
        run="run",
        seconds=2.0,
    )
    assert (result.record, result.error, result.kept) == (expected, None, kept)


def test_a_step_that_failed_keeps_what_it_logged_and_nothing_else(tmp_path: Path) -> None:
    result = told(tmp_path, TimedOut(3.0), StepReport(None, LOG, None))
    assert result.error is not None
    assert (result.record, result.kept) == (record(LOG), None)
    assert (result.error.name, result.error.message) == ("Timeout", "the step ran longer than 3 seconds")


def test_warnings_are_errors_of_strict_runs_only(tmp_path: Path) -> None:
    outcome = StepOutcome(warnings=("a thread died", "a file is open"))
    report = StepReport(outcome, StepLog(), None)
    assert told(tmp_path / "usual", Completed(), report).error is None
    strict = told(tmp_path / "strict", Completed(), report, strict=True)
    hint = "mend it, or run without --strict"
    assert strict.error == StepError("StrictRun", "a thread died; a file is open", hint=hint)
    assert strict.kept is None
