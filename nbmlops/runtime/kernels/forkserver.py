"""Kernels that start warm: forked from a process that has imported what the steps import (`forkserver_main`).

The process starts in the background and is asked when it is needed. Where kernels cannot be forked from it, for
whatever reason, they start cold, and the reason is kept. Linux only. What a step computes is the same either way.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from msgspec import Struct

_PATIENCE = 60.0  # seconds that imports may take
# With these, importing NumPy and Arrow starts no thread; forked kernels get the number of threads of cold ones.
_THREADS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")  # in the order in which OpenBLAS asks
_SINGLE_THREADED = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}


class ForkPlan(Struct, frozen=True):
    """What the process is to import, and where.

    Attributes:
        modules: As `modules_to_preload` gives them.
        source: The folder of the source notebook, where steps import.
        root: The project's root.
        package: The generated package.
        pipeline: The pipeline's file; None for notebooks of others, whose kernels find no module of ours loaded.
        ignored: Folders whose files are no business of a step.
        environment: All variables of the steps' processes.
    """

    modules: tuple[str, ...]
    source: Path
    root: Path
    package: str
    pipeline: Path | None
    ignored: tuple[Path, ...]
    environment: Mapping[str, str]


class ForkServer:
    """A process that kernels are forked from; it starts at once, and works on while others do.

    Args:
        plan: What it imports.
    """

    def __init__(self, plan: ForkPlan) -> None:
        self._asking = threading.Lock()  # one request at a time; nobody else waits for it
        self._channel, theirs = socket.socketpair()
        told = {
            "modules": plan.modules,
            "source": str(plan.source),
            "root": str(plan.root),
            "package": plan.package,
            "pipeline": None if plan.pipeline is None else str(plan.pipeline),
            "ignored": [str(path) for path in plan.ignored],
            "owner": os.getpid(),
            "threads": _threads(plan.environment),
        }
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "nbmlops.runtime.kernels.forkserver_main",
                    str(theirs.fileno()),
                    json.dumps(told),
                ],
                env={**plan.environment, **_SINGLE_THREADED},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._codes: dict[int, int] = {}
        self._answers: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._ready = False
        self._reader = threading.Thread(target=self._read, name="nbmlops-forks", daemon=True)
        self._reader.start()
        self.refusal = ""  # why kernels cannot be forked from it
        self.brings: frozenset[str] = frozenset()  # top-level modules that it has imported, when it is usable

    def fork(
        self, arguments: Sequence[str], folder: str, environment: Mapping[str, str], output: Sequence[int]
    ) -> ForkedProcess | None:
        """Returns a new process that runs a kernel, None if it has to start cold; then `refusal` says why.

        Args:
            arguments: Those of the kernel.
            folder: Its working directory.
            environment: All its variables.
            output: Descriptors of what takes its own standard output and error.
        """
        with self._asking:
            if not self._is_ready():
                return None
            request = {"arguments": list(arguments), "folder": folder, "environment": dict(environment)}
            text = json.dumps(request).encode()
            try:
                socket.send_fds(self._channel, [len(text).to_bytes(8, "big")], list(output))
                self._channel.sendall(text)
            except OSError as error:
                self.refusal = f"the process that kernels are forked from is gone: {error.strerror}"
                return None
            answer = self._hear()
            if "pid" not in answer:
                self.refusal = str(answer.get("refused", "the process that kernels are forked from does not answer"))
                return None
            return ForkedProcess(self, answer["pid"])

    def is_usable(self) -> bool:
        """Returns whether kernels can be forked from it, when its imports are done; if not, `refusal` says why."""
        with self._asking:
            return self._is_ready()

    def exit_code(self, pid: int) -> int | None:
        """Returns the exit code of a kernel (negative: signal) as far as the process has told it."""
        return self._codes.get(pid)

    @property
    def is_alive(self) -> bool:
        """Whether the process is there to tell how its kernels end."""
        return self._process.poll() is None

    def close(self) -> None:
        """Ends the process, and with it every kernel that is still there."""
        with suppress(OSError):  # it is gone already
            self._channel.shutdown(socket.SHUT_RDWR)
        if not self._ready:  # it has no kernel, and may be in the middle of an import
            self._process.kill()
        self._process.wait()
        self._reader.join()
        self._channel.close()

    def _is_ready(self) -> bool:
        if self.refusal or self._ready:
            return not self.refusal
        answer = self._hear()
        self._ready = "ready" in answer
        self.brings = frozenset(answer.get("ready", ()))
        if not self._ready:
            self.refusal = str(answer.get("unusable", "the process that kernels are forked from does not answer"))
        return self._ready

    def _hear(self) -> dict[str, Any]:
        """Returns what it answers, {} if it does not in time."""
        try:
            return self._answers.get(timeout=_PATIENCE)
        except Empty:
            return {}

    def _read(self) -> None:
        """Notes how kernels end, whoever is asking for something meanwhile, and passes on what else it says."""
        with self._channel.makefile("rb") as lines, suppress(OSError):
            while (line := lines.readline()).endswith(b"\n"):
                message: dict[str, Any] = json.loads(line)
                if "ended" in message:
                    pid, code = message["ended"]
                    self._codes[pid] = code
                else:
                    self._answers.put(message)
        self._answers.put({})  # whoever waits for an answer need not wait any longer


class ForkedProcess:
    """A forked kernel's process, as `subprocess.Popen` shows one of its own.

    Args:
        server: Tells its exit code.
        pid: Its number.
    """

    stdin = stdout = stderr = None

    def __init__(self, server: ForkServer, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server
        try:
            self._descriptor = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended already
            self._descriptor = -1

    def poll(self) -> int | None:
        """Returns the exit code (negative: signal), None while it runs."""
        if self.returncode is None and self._is_over(0.0):
            self.returncode = self._code()
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Returns the exit code when it has ended.

        Raises:
            TimeoutExpired: it has not in so many seconds.
        """
        if self.returncode is None and not self._is_over(timeout):
            raise subprocess.TimeoutExpired("kernel", timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it."""
        self.send_signal(signal.SIGKILL)

    def _is_over(self, seconds: float | None) -> bool:
        if self._descriptor < 0:
            return True
        return _is_readable(self._descriptor, seconds)

    def _code(self) -> int:
        """Returns what the server tells; if that was killed, its kernels are killed with it."""
        deadline = time.monotonic() + 5.0
        while (code := self._server.exit_code(self.pid)) is None:
            if not self._server.is_alive or time.monotonic() > deadline:
                return -signal.SIGKILL
            time.sleep(0.005)
        return code


def _threads(environment: Mapping[str, str]) -> int:
    """Returns how many threads linear algebra is to use, 0 if nothing is said."""
    told = (re.match(r"\s*\+?(\d+)", environment.get(name, "")) for name in _THREADS)  # as C reads a number: "4,2" is 4
    return next((number for match in told if match and (number := int(match[1]))), 0)


def _is_readable(descriptor: int, seconds: float | None) -> bool:
    """Returns whether there is something to read in so many seconds; None waits for ever."""
    poll = select.poll()  # `select.select` takes no descriptors above 1023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))
