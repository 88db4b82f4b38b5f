"""Warm kernels for papermill's engine: from the second notebook of a process on, kernels are forked.

The first notebook of a process starts as ever: of a process that executes one, as the command `papermill` does, nobody
would gain. The second one starts the process that kernels are forked from (`forkserver_main`), and waits for its
imports, which it would have to do itself; all later ones find them done. That process lives as long as this one.

A kernel that is started in another way than by this interpreter, other variables than when the imports were done, or
files beside the notebook that hide a library: then a kernel starts cold, as it does whenever forking is refused.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

from nbmlops.runtime.kernels.forkserver import ForkedProcess, ForkPlan, ForkServer
from nbmlops.runtime.kernels.preload import modules_to_preload
from nbmlops.runtime.kernels.provisioner import WarmProvisioner
from nbmlops.runtime.kernels.ready import PromptClient, PromptManager

_LOG = logging.getLogger(__name__)
_LAUNCHED = ("-m", "ipykernel_launcher")
_OF_ONE_CALL = frozenset({"JPY_PARENT_PID", "JPY_SESSION_NAME", "PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH"})


class WarmKernels:
    """The kernels of one process, and the process that they are forked from as soon as that pays.

    Args:
        start: Starts that process.
    """

    def __init__(self, start: Callable[[ForkPlan], ForkServer] = ForkServer) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._owner = 0  # a fork of this process has kernels of its own
        self._started = 0
        self._server: ForkServer | None = None
        self._plan: ForkPlan | None = None
        self._kernels: list[ForkedProcess] = []

    def fork(self, cmd: list[str], options: Mapping[str, Any], modules: Iterable[str]) -> ForkedProcess | None:
        """Returns a new process that runs a kernel, None if it has to start cold.

        Args:
            cmd: How it would be started.
            options: Of the process, as for `subprocess.Popen`.
            modules: What its notebook imports, of what may be imported before.
        """
        with self._lock:
            if self._owner != os.getpid():
                self._owner, self._started, self._server, self._plan, self._kernels = os.getpid(), 0, None, None, []
            self._started += 1
            folder, variables = Path(options.get("cwd") or Path.cwd()), dict(options["env"])
            if self._started == 1 or not _is_ours(cmd, variables):
                return None
            server = self._server_for(folder, variables, frozenset(modules))
            if server is None or not server.is_usable() or _hides(folder, server.brings):
                return None
            output = [_descriptor(options.get(name), usual) for name, usual in (("stdout", 1), ("stderr", 2))]
            process = server.fork(cmd[3:], str(folder), variables, output)
            if process is None:
                _LOG.info("a kernel starts cold: %s", server.refusal)
                return None
            self._kernels.append(process)
            return process

    def close(self) -> None:
        """Ends the process that kernels are forked from."""
        if self._server is not None and self._owner == os.getpid():
            self._server.close()
        self._server = self._plan = None

    def _server_for(self, folder: Path, variables: Mapping[str, str], modules: frozenset[str]) -> ForkServer | None:
        """Returns where a kernel may be forked from; the process is made anew for imports that it does not have yet."""
        kept = {name: text for name, text in variables.items() if name not in _OF_ONE_CALL}
        plan, self._kernels = self._plan, [kernel for kernel in self._kernels if kernel.poll() is None]
        if plan is not None and plan.environment == kept and modules <= set(plan.modules):
            return self._server
        if plan is not None and self._kernels:
            return None  # they would end with it
        self.close()
        known = set(plan.modules) if plan is not None and plan.environment == kept else set()
        self._plan = ForkPlan(tuple(sorted(known | modules)), folder, folder, "", None, (), kept)
        self._server = self._start(self._plan)
        return self._server


KERNELS = WarmKernels()
atexit.register(KERNELS.close)


def warm_manager_class(sources: Iterable[str]) -> type[AsyncKernelManager]:
    """Returns what nbclient makes its kernel manager from.

    Args:
        sources: The code cells of the notebook that the kernel is for.
    """
    modules = modules_to_preload(map(_without_magics, sources))

    class Provisioner(WarmProvisioner):
        def _forked(self, cmd: list[str], options: dict[str, Any]) -> ForkedProcess | None:
            return KERNELS.fork(cmd, options, modules)

    class WarmKernelManager(PromptManager):
        client_factory = AsyncKernelClient

        # jupyter_client binds this name to a coroutine function in its own subclass, too
        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]  # as said above
            spec = self.kernel_spec
            if sys.platform == "linux" and spec is not None and "kernel_provisioner" not in spec.metadata:
                self.provisioner = Provisioner(kernel_spec=spec, parent=self)
                if spec.language == "python":  # others may not say that they are idle
                    self.client_factory = PromptClient
            await super().start_kernel(**options)

        async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:  # type: ignore[override]  # as above
            if restart:
                await super().shutdown_kernel(now=now, restart=True)
            else:
                await self.end(gently=not now)

    return WarmKernelManager


def _is_ours(cmd: list[str], variables: Mapping[str, str]) -> bool:
    """Returns whether the command starts IPython's kernel in this interpreter, as a fork would be one."""
    is_python = cmd[:1] == [sys.executable] and tuple(cmd[1:3]) == _LAUNCHED
    return is_python and "JE_ARROW_MALLOC_CONF" not in variables


def _hides(folder: Path, brings: frozenset[str]) -> bool:
    """Returns whether a file beside the notebook would be imported where a module is that is imported already."""
    names: set[str] = set()
    with suppress(OSError):  # the kernel will tell
        found = [path for path in folder.iterdir() if path.suffix in {".py", ".so"} or path.is_dir()]
        names = {path.name.partition(".")[0] for path in found}
    return not names.isdisjoint(brings)


def _descriptor(stream: Any, usual: int) -> int:
    """Returns the descriptor that a process would be given; `stream` as for `subprocess.Popen`."""
    if stream is None:
        return usual
    return stream if isinstance(stream, int) else int(stream.fileno())


def _without_magics(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
