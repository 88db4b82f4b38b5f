"""How a run ended, as `nbmlops.app.running.run` tells it: the run document and what only a person needs."""

from __future__ import annotations

from msgspec import Struct

from nbmlops.core.errors import ExitCode, NbmlopsError
from nbmlops.gate.verdict import Verdict
from nbmlops.pipeline.run_record import RunRecord, RunStatus

_EXIT_CODES = {
    RunStatus.SUCCEEDED: ExitCode.SUCCESS,
    RunStatus.FAILED: ExitCode.STEP_FAILED,
    RunStatus.GATE_REJECTED: ExitCode.GATE_REJECTED,
    RunStatus.INTERRUPTED: ExitCode.INTERRUPTED,
}


class RunOutcome(Struct, frozen=True):
    """A run as it ended.

    Attributes:
        record: The run document, as it stands in `run.json`.
        verdict: The gate's answer, None when nothing was judged.
        reused: Id of the earlier run whose results these are, when no step was executed; else "".
        notes: What the user should know or do.
        next_commands: What to try next.
        terminated: The run was ended by SIGTERM rather than by Ctrl-C.
        fault: Why a run failed whose steps all succeeded, None otherwise: its model could not be registered.
    """

    record: RunRecord
    verdict: Verdict | None = None
    reused: str = ""
    notes: tuple[str, ...] = ()
    next_commands: tuple[str, ...] = ()
    terminated: bool = False
    fault: NbmlopsError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """What the process tells its caller."""
        if self.fault is not None:
            return self.fault.exit_code
        if self.record.status is RunStatus.INTERRUPTED and self.terminated:
            return ExitCode.TERMINATED
        return _EXIT_CODES[self.record.status]
