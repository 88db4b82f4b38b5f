"""The errors that stop a command, one class for each party who must act, and the exit codes they lead to.

A fault in the user's notebook is a `Diagnostic`, collected with all the others; an exception from here means that we
cannot go on. The exit codes are part of the interface (docs/reference/exit-codes.md).
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbmlops.core.diagnostics import Diagnostic


class ExitCode(IntEnum):
    """What the process tells its caller."""

    SUCCESS = 0
    STEP_FAILED = 1
    USAGE = 2
    GATE_REJECTED = 3
    ENVIRONMENT = 4
    COMPARISON_FAILED = 5
    CONFLICT = 6
    INTERNAL = 70
    INTERRUPTED = 130
    TERMINATED = 143


class NbmlopsError(Exception):
    """Root of all errors that nbmlops raises on purpose.

    Args:
        message: What is wrong, and where.
        hint: The edit or command that helps, as a sentence; empty when there is none.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class UsageError(NbmlopsError):
    """The command, its arguments, a file it names or the configuration is wrong; the caller must change them."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """`nbmlops.toml` is malformed or lacks what the command needs. The message names file, line and key."""


class NotebookError(UsageError):
    """The notebook cannot be compiled; `diagnostics` says everything that stands in the way."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic], hint: str = "") -> None:
        super().__init__(message, hint)
        self.diagnostics = tuple(diagnostics)


class StepFailed(NbmlopsError):
    """A step of a pipeline failed: its own error, a dead kernel, a value that cannot be handed over, a timeout."""

    exit_code = ExitCode.STEP_FAILED


class GateRejected(NbmlopsError):
    """The gate said no, or something that needs a passing verdict was asked for without one."""

    exit_code = ExitCode.GATE_REJECTED


class EnvironmentFault(NbmlopsError):
    """The machine, not the project, must change: disk, permissions, server, kernelspec, a missing package."""

    exit_code = ExitCode.ENVIRONMENT


class StoreAway(EnvironmentFault):
    """The tracking store cannot be used now, but may be later, as it is: it is down, slow or locked."""


class ComparisonFailed(NbmlopsError):
    """Two things that should be equal differ: generated files are stale, results are not reproduced."""

    exit_code = ExitCode.COMPARISON_FAILED


class Conflict(NbmlopsError):
    """Somebody else moved the alias or holds the lease."""

    exit_code = ExitCode.CONFLICT


class Interrupted(NbmlopsError):
    """Ctrl-C; everything that was finished before is kept."""

    exit_code = ExitCode.INTERRUPTED


class Terminated(NbmlopsError):
    """SIGTERM; everything that was finished before is kept."""

    exit_code = ExitCode.TERMINATED
