"""Starts kernels for jupyter_client: forked from a warm process if there is one, else as ever."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from nbmlops.runtime.kernels.forkserver import ForkedProcess, ForkServer

_FIRST_LOOK, _LOOKS = 0.001, 0.1  # seconds until the first look at a process that is to end, and between later ones


class WarmProvisioner(LocalProvisioner):
    """A local process for a kernel, forked from `forks`; a cold one where that is not possible."""

    forks: ForkServer | None = None

    async def wait(self) -> int | None:
        """Returns the exit code when the process has ended.

        jupyter_client looks ten times a second; a process that was killed is gone in some milliseconds.
        """
        pause = _FIRST_LOOK
        while self.process is not None and await self.poll() is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LOOKS)
        return await super().wait()

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Returns how to reach the kernel that was started."""
        process = self._forked(cmd, kwargs)
        if process is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process = process  # type: ignore[assignment]  # it has all that is used of a Popen
        self.pid = self.pgid = process.pid  # it leads a group of its own
        self.cwd = kwargs.get("cwd")
        return self.connection_info

    def _forked(self, cmd: list[str], options: dict[str, Any]) -> ForkedProcess | None:
        if self.forks is None:
            return None
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        output = [options[name].fileno() for name in ("stdout", "stderr")]
        return self.forks.fork(arguments, str(options["cwd"]), options["env"], output)


def warm_provisioner(forks: ForkServer | None, **options: Any) -> WarmProvisioner:
    """Returns a provisioner that forks from there; `options` are those of every provisioner."""
    made = WarmProvisioner(**options)
    made.forks = forks
    return made
