"""The process of a step, or of several steps that are joined: a kernel, and the files it is told things by."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from nbmlops.runtime.kernels.forkserver import ForkServer
from nbmlops.runtime.kernels.keeper import end_group
from nbmlops.runtime.kernels.kernel import Kernel
from nbmlops.runtime.schedule.execute import Ending, Job, execute
from nbmlops.runtime.steps.context import (
    ENVIRONMENT_VARIABLE,
    SECRETS_FILE,
    StepContext,
    StepReport,
    read_report,
    write_context,
)


class StepProcess:
    """Runs one step notebook after the other, until it is closed.

    Args:
        environment: Variables set for it, over those of this process.
        forks: Where it may be forked from; None for a process that starts from nothing.
    """

    def __init__(self, environment: Mapping[str, str], forks: ForkServer | None = None) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="nbmlops-")
        self._told, self._report = Path(self._scratch.name) / "context.json", Path(self._scratch.name) / "report.json"
        self._kernel = Kernel({**environment, ENVIRONMENT_VARIABLE: str(self._told)}, forks=forks)
        self._steps: tuple[str, ...] = ()

    def run(self, context: StepContext, job: Job) -> tuple[Ending, StepReport]:
        """Returns how the execution of a step notebook ended, and what the step told.

        Args:
            context: What the step is given; where it reports and which steps this process has run is added.
            job: The step notebook.

        Raises:
            UsageError: the step notebook cannot be read.
            EnvironmentFault: there is no room for the executed notebook.
            KeyboardInterrupt: the user stopped it.
        """
        self._report.unlink(missing_ok=True)
        write_context(self._told, replace(context, report=self._report, joined=self._steps))
        ending = execute(replace(job, secrets=self._report.with_name(SECRETS_FILE)), self._kernel)
        self._steps += (context.step,)
        return ending, read_report(self._report)

    @property
    def is_warm(self) -> bool:
        """Whether it was forked from a process that has the steps' imports."""
        return self._kernel.is_warm

    def kill(self) -> None:
        """Kills what runs of it, from any thread; `close` is still to be called."""
        if self._kernel.group is not None:
            end_group(self._kernel.group)

    def close(self, *, gently: bool = False) -> None:
        """Ends the process, whatever it is doing.

        Args:
            gently: Let it write what its open files hold and remove its temporary folders, as at the end of a notebook.
        """
        try:
            self._kernel.close(gently=gently)
        finally:
            self._scratch.cleanup()
