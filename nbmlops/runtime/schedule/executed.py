"""What executing a step gave: its record for the run document, and the one that later runs look for."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from nbmlops.pipeline.run_record import StepError, StepRecord, StepStatus
from nbmlops.runtime.redact import redacted_error, redacted_log
from nbmlops.runtime.reuse.files import data_files
from nbmlops.runtime.reuse.libraries import distributions_of
from nbmlops.runtime.reuse.plan import step_key
from nbmlops.runtime.reuse.records import CacheRecord
from nbmlops.runtime.schedule.accounts import Accounts
from nbmlops.runtime.schedule.crew import Over, Result
from nbmlops.runtime.schedule.endings import error_of
from nbmlops.runtime.steps.errors import Places


def result_of(over: Over, target: Path, accounts: Accounts) -> Result:
    """Returns what an executed step did.

    Args:
        over: Its end.
        target: Its executed notebook.
        accounts: Of the run.
    """
    ready, outcome = over.running.ready, over.report.outcome
    log = redacted_log(outcome.log if outcome else over.report.log)
    outcome = replace(outcome, log=log) if outcome else None
    record = StepRecord(
        name=ready.step.name,
        status=StepStatus.EXECUTED,
        seconds=over.seconds,
        notebook=accounts.shown(target),
        log=log,
        key=step_key(ready.step.name, ready.parts),
        reason=ready.reason,
        start="warm" if over.running.lane.is_warm else "cold",
        peak=outcome.peak if outcome else 0,
        begun=over.running.begun.isoformat(timespec="milliseconds"),
        early=over.running.is_early,
        files=data_files(outcome.files) if outcome else {},
    )
    error = redacted_error(_error(over, accounts), accounts.layout.package)
    if error or outcome is None:
        return Result(over, record, error, None)
    kept = CacheRecord(
        step=record.name,
        key=record.key,
        parts=ready.parts,
        outcome=outcome,
        libraries=distributions_of(outcome.modules, accounts.versions),
        notebook=target.relative_to(accounts.layout.root).as_posix(),
        run=accounts.name,
        seconds=record.seconds,
    )
    return Result(over, record, None, kept)


def _error(over: Over, accounts: Accounts) -> StepError | None:
    error = error_of(over.ending, over.report, Places(accounts.pipeline, accounts.layout))
    warnings = over.report.outcome.warnings if over.report.outcome else ()
    if error is None and warnings and accounts.options.strict:
        return StepError("StrictRun", "; ".join(warnings), hint="mend it, or run without --strict")
    return error
