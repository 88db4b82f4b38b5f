"""A kernel of the running interpreter in which one step notebook is executed, or several one after the other.

No kernelspec has to be installed, and none that is installed is used. The kernel ends when `close` is called, and by
itself when this process is gone: ipykernel watches its parent.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbmlops.runtime.kernels.forkserver import ForkedProcess, ForkServer
from nbmlops.runtime.kernels.keeper import KEEPER, end_group
from nbmlops.runtime.kernels.memory_kills import memory_kills

if TYPE_CHECKING:
    from asyncio import Task

_STDERR_KEPT = 4000
_CLIENT = "NotebookClient."


class Kernel:
    """A kernel that starts with the first notebook and outlives it, until it is closed.

    Args:
        environment: Variables set for it, over those of this process.
        arguments: What its command line holds besides the usual.
        forks: Where it may be forked from; None for a process that starts from nothing.
    """

    def __init__(
        self, environment: Mapping[str, str], arguments: Sequence[str] = (), forks: ForkServer | None = None
    ) -> None:
        self._environment, self._arguments, self._forks = dict(environment), tuple(arguments), forks
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the kernel
        self._sockets = tempfile.TemporaryDirectory(prefix="nbmlops-")
        self._address = ("ipc", f"{self._sockets.name}/kernel") if os.name == "posix" else ("tcp", "127.0.0.1")
        self._manager: Any = None
        self._group: int | None = None
        self._kills = memory_kills()

    def manager_class(self) -> type:
        """Returns what nbclient makes its kernel manager from: each time it gets the same one, of the same kernel."""
        from jupyter_client.kernelspec import KernelSpec

        from nbmlops.runtime.kernels.provisioner import warm_provisioner  # noqa: PLC0415 - loads jupyter_client
        from nbmlops.runtime.kernels.ready import PromptManager  # noqa: PLC0415 - loads jupyter_client

        kernel, output, forks = self, self._output, self._forks
        spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *self._arguments],
            display_name="Python 3",
            language="python",
            env=self._environment,
        )

        class StepKernelManager(PromptManager):
            def __new__(cls, *arguments: Any, **options: Any) -> Any:
                # Of another class than `cls` when the kernel runs already: then `__init__` is not called again.
                return kernel._manager or super().__new__(cls, *arguments, **options)

            @property
            def kernel_spec(self) -> KernelSpec:
                return spec

            # jupyter_client binds this name to a coroutine function in its own subclass, too
            async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]  # as said above
                kernel._manager = self
                # A port may be taken by somebody else before the kernel binds it, and anybody may knock at it.
                self.transport, self.ip = kernel._address
                self.provisioner = warm_provisioner(forks, kernel_spec=spec, parent=self)
                await super().start_kernel(stdout=output, stderr=output, **options)
                kernel._lead_group()

            # nbclient ends a kernel with its notebook; ours may have another notebook to come.
            async def shutdown_kernel(  # type: ignore[override]  # likewise
                self, now: bool = False, restart: bool = False
            ) -> None:
                """Does nothing: see `Kernel.close`."""

            async def cleanup_resources(self, restart: bool = False) -> None:  # type: ignore[override]  # noqa: ARG002 - its signature
                """Leaves the kernel as it is (see `Kernel.close`); nbclient closes its channels next."""
                for task in _following():
                    task.add_done_callback(_heard)  # it fails as soon as its channel is gone

            async def end(self, gently: bool) -> None:
                for task in _following():
                    task.add_done_callback(_heard)
                    task.cancel()
                await super().end(gently)

        return StepKernelManager

    def exit_code(self) -> int | None:
        """Returns the exit code of its process (negative: signal), None if that is not known."""
        process = self._process()
        return process.poll() if process else None

    def is_running(self) -> bool:
        """Returns whether its process has started and not ended."""
        process = self._process()
        return process is not None and process.poll() is None

    @property
    def is_warm(self) -> bool:
        """Whether its process was forked from another one."""
        return isinstance(self._process(), ForkedProcess)

    @property
    def group(self) -> int | None:
        """The process group that it leads, None as long as it has not started."""
        return self._group

    def memory_ran_out(self) -> bool:
        """Returns whether the system has killed a process for memory since this kernel was made."""
        now = memory_kills()
        return now is not None and self._kills is not None and now > self._kills

    def last_words(self) -> str:
        """Returns the end of what its process wrote to its own standard error, ipykernel's greetings left out."""
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.startswith("[IPKernelApp] WARNING"))[-_STDERR_KEPT:]

    def close(self, *, gently: bool = False) -> None:
        """Ends the process, whatever it is doing.

        Args:
            gently: Let it write what its open files hold and remove its temporary folders, as at the end of a notebook.
        """
        from jupyter_core.utils import run_sync

        manager, process = self._manager, self._process()
        try:
            if manager is not None:
                run_sync(manager.end)(gently)
        finally:
            if process is not None and process.poll() is None:  # a second interruption came in between
                process.kill()
                process.wait()
            if self._group is not None:  # what the steps started and left behind
                end_group(self._group)
                KEEPER.release(self._group)
            self._output.close()
            self._sockets.cleanup()

    def _lead_group(self) -> None:
        process = self._process()
        if process is not None:
            self._group = process.pid  # jupyter_client starts kernels in a session of their own
            KEEPER.keep(process.pid)

    def _process(self) -> subprocess.Popen[bytes] | ForkedProcess | None:
        return getattr(self._manager.provisioner, "process", None) if self._manager else None


def _following() -> list[Task[Any]]:
    """Returns the tasks that follow a cell, which an interruption leaves behind."""
    import asyncio  # noqa: PLC0415 - as the rest: not where every step is reused

    return [
        task
        for task in asyncio.all_tasks()
        if task is not asyncio.current_task() and getattr(task.get_coro(), "__qualname__", "").startswith(_CLIENT)
    ]


def _heard(task: Task[Any]) -> None:
    """Takes the exception of a task that nobody waits for; else asyncio writes it to standard error."""
    if not task.cancelled():
        task.exception()
