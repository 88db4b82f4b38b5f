from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from nbmlops.runtime.kernels.kernel import Kernel
from nbmlops.runtime.kernels.ready import PromptClient


def with_kernel(look: Callable[[PromptClient, Kernel], Awaitable[Any]]) -> Any:
    """Returns what `look` returns, called with a client of a kernel that has started."""

    async def looking() -> Any:
        manager = kernel.manager_class()()
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            return await look(client, kernel)
        finally:
            client.stop_channels()
            await manager.end(gently=False)

    with closing(Kernel({})) as kernel:
        return asyncio.run(looking())


def test_what_a_ready_kernel_publishes_next_belongs_to_the_next_request() -> None:
    async def published(client: PromptClient, _: Kernel) -> tuple[str, list[tuple[str, bool]]]:
        await client.wait_for_ready(timeout=60)
        request = client.execute("print(6 * 7)")
        heard: list[tuple[str, bool]] = []
        while not heard or heard[-1][0] != "idle":
            message = await client.iopub_channel.get_msg(timeout=30)
            content = message["content"]
            heard.append(
                (
                    content.get("execution_state") or content.get("text") or message["msg_type"],
                    message["parent_header"]["msg_id"] == request,
                )
            )
        return type(client).__name__, heard

    assert with_kernel(published) == (
        "PromptClient",
        [("busy", True), ("execute_input", True), ("42\n", True), ("idle", True)],
    )


def test_a_client_tries_soon_again_to_reach_a_kernel_that_does_not_listen_yet(tmp_path: Path) -> None:
    client = PromptClient(transport="ipc", ip=str(tmp_path / "kernel"), shell_port=1, iopub_port=2)
    with client.connect_shell() as shell, client.connect_iopub() as published:
        assert [socket.reconnect_ivl for socket in (shell, published)] == [5, 5]


def test_a_client_that_comes_later_is_ready_as_well() -> None:
    async def printed(first: PromptClient, _: Kernel) -> list[str]:
        await first.wait_for_ready(timeout=60)
        client = first.parent.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            with pytest.raises(Empty):
                await client.iopub_channel.get_msg(timeout=0.3)
            reply = await client.execute_interactive("1 / 0", output_hook=lambda message: None, timeout=30)
            return [reply["content"]["status"], reply["content"]["ename"]]
        finally:
            client.stop_channels()

    assert with_kernel(printed) == ["error", "ZeroDivisionError"]


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals that stop a process")
def test_a_kernel_that_does_not_answer_is_not_ready() -> None:
    async def waited(client: PromptClient, kernel: Kernel) -> str:
        assert kernel.group is not None
        os.kill(kernel.group, signal.SIGSTOP)
        with pytest.raises(RuntimeError) as caught:
            await client.wait_for_ready(timeout=0.5)
        return str(caught.value)

    assert with_kernel(waited) == "Kernel didn't respond in 0.5 seconds"


def test_a_kernel_that_has_ended_is_told_at_once() -> None:
    async def waited(client: PromptClient, kernel: Kernel) -> str:
        assert kernel.group is not None
        os.kill(kernel.group, signal.SIGTERM)
        with pytest.raises(RuntimeError) as caught:
            await client.wait_for_ready(timeout=60)
        return str(caught.value)

    assert with_kernel(waited) == "Kernel died before replying to kernel_info"
