"""A client that is ready as soon as its kernel is, and a manager that does not wait longer than a kernel takes to end.

jupyter_client's own waits for 0.2 s of silence, each time, before the first cell may run. Silence tells less than what
the kernel says: it publishes that it is idle when it has dealt with a request, so that nothing of it or of those before
it, is still to come (Jupyter messaging protocol, "Kernel status").

It connects before the kernel listens, so that ZeroMQ tries again: by itself every 0.1 s, which is as long as a warm
kernel takes to start; and what is published in between is missed, so that the kernel has to be asked once more.
"""

from __future__ import annotations

import asyncio
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

_LOOKS = 0.01  # seconds between two looks at a kernel that was asked to end (jupyter_client: 0.1)
_TRY_AGAIN = 5  # milliseconds (ZMQ_RECONNECT_IVL)
_ASK_AGAIN = 1.0  # seconds: a kernel that is starting may take long
_HEARD_BY = 0.1  # seconds from the reply to the news: what was published before we listened never comes


class PromptClient(AsyncKernelClient):
    """A client whose `wait_for_ready` returns when the kernel has said that it is idle."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.context.reconnect_ivl = _TRY_AGAIN  # of the sockets that it makes from now on

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Returns when the kernel answers requests, and nothing that was published before is left to be read.

        Args:
            timeout: Seconds; None for any time.

        Raises:
            RuntimeError: the kernel's process ended, or it was not ready in time.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        while not await self._is_idle_after(self.kernel_info()):
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if timeout is not None and clock() - began > timeout:
                raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")

    async def _is_idle_after(self, request: str) -> bool:
        """Returns whether the request was answered, and the kernel's being idle after it was heard of."""
        reply = await _next(self.shell_channel, request, "kernel_info_reply", _ASK_AGAIN)
        if reply is None:
            return False
        self._handle_kernel_info_reply(reply)
        while (status := await _next(self.iopub_channel, request, "status", _HEARD_BY)) is not None:
            if status["content"]["execution_state"] == "idle":
                return True
        return False


class PromptManager(AsyncKernelManager):
    """A manager of a kernel of Python."""

    client_factory = PromptClient

    async def end(self, gently: bool) -> None:
        """Ends the kernel; returns when it is gone.

        Args:
            gently: Let it do what it does when it is asked to end; it is killed if that takes too long.
        """
        provisioner = self.provisioner
        if provisioner is not None and await self.is_alive():
            if gently:
                # jupyter_client interrupts it first, in case it is busy. Ours has done its work, and an interruption
                # that comes while it ends keeps it from writing what its open files hold.
                await self.request_shutdown()
                await self.finish_shutdown(pollinterval=_LOOKS)
            else:
                await provisioner.kill()
                await provisioner.wait()
        await super().cleanup_resources()


async def _next(channel: Any, request: str, kind: str, within: float) -> dict[str, Any] | None:
    """Returns the next message of this kind that belongs to the request, None if there is none for so many seconds."""
    while True:
        try:
            message: dict[str, Any] = await channel.get_msg(timeout=within)
        except Empty:
            return None
        if message["msg_type"] == kind and message["parent_header"].get("msg_id") == request:
            return message
