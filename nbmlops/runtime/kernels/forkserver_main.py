"""The process that kernels are forked from: it imports what steps import, and does nothing else.

It has one task, always: a fork of a process with threads may hang or crash. It answers requests on a socket, and ends
with all its kernels when the socket is closed. The messages are lines of JSON (`forkserver` has the other side).
"""

from __future__ import annotations

import gc
import json
import os
import random
import select
import signal
import socket
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.core.errors import UsageError
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.runtime.ambient.session import PARTS
from nbmlops.runtime.kernels.hidden_modules import HiddenModules, ImportRecorder, UnrepeatableImport
from nbmlops.runtime.kernels.preload import asks_around
from nbmlops.runtime.kernels.pretended_shell import pretended_shell
from nbmlops.runtime.steps.observe import Observer

_KERNEL = (
    "IPython",
    "ipykernel.debugger",  # half of the time that starting a kernel takes
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    # what a kernel imports when it starts
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "pdb",
    "sqlite3",
    "tornado.platform.asyncio",
)
_STEP = "nbmlops.runtime.step"
_OURS = "nbmlops"
_BACKEND = ("MPLBACKEND", "module://matplotlib_inline.backend_inline")


class Unusable(Exception):
    """Kernels must not be forked from this process; the message says why."""


class Loaded(Struct):
    """What is imported: hidden from steps until they ask; `variables` are those that importing the kernel sets."""

    modules: HiddenModules
    variables: Mapping[str, str]


def main() -> None:
    """Imports, serves, and becomes a kernel in each forked process."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    plan = json.loads(sys.argv[2])
    gc.disable()  # imports make hardly anything that could be collected
    if sys.path[0] in {"", str(Path.cwd())}:
        del sys.path[0]  # as a kernel does that is started by itself
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # ipykernel reads it when it is imported
    os.chdir(plan["source"])
    try:
        observer = Observer(Path(plan["root"]), plan["package"], map(Path, plan["ignored"]))
        loaded = load(plan["modules"], observer, plan["threads"], is_plain=plan["pipeline"] is None)
    except Unusable as reason:
        _tell(channel, unusable=str(reason))
        return
    if plan["pipeline"] is not None:
        with suppress(UsageError):  # the step says why it cannot be read
            read_pipeline(Path(plan["pipeline"]))  # kernels have it then, however many steps it tells of
    gc.collect()
    gc.freeze()
    gc.enable()
    _tell(channel, ready=sorted(loaded.modules.packages()))
    request = _Server(channel, plan["owner"]).serve()
    if request is not None:
        become_kernel(request, loaded)


def load(modules: Sequence[str], observer: Observer, threads: int, *, is_plain: bool = False) -> Loaded:
    """Returns what was imported; nothing of it can be seen in the process.

    Args:
        modules: Names; those that are no modules are left out.
        observer: Sees what imports do.
        threads: How many threads libraries of linear algebra are to use; 0 for as many as there are processors.
        is_plain: Whether our own modules cannot be seen either.

    Raises:
        Unusable: importing did something that a step would have to do again.
    """
    given = frozenset(os.environ)
    for name in _KERNEL if is_plain else (*_KERNEL, _STEP):
        import_module(name)
    variables = {name: text for name, text in os.environ.items() if name not in given}
    os.environ.setdefault(*_BACKEND)
    visible, before = frozenset(sys.modules), _ambient()
    recorder = ImportRecorder()
    with tempfile.TemporaryFile() as output:
        shown = [os.dup(1), os.dup(2)]
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        observer.start()
        try:
            with pretended_shell() as shell, recorder.recording(), warnings.catch_warnings(record=True) as told:
                _import_all([*modules, "threadpoolctl"])
        except UnrepeatableImport as reason:
            raise Unusable(str(reason)) from reason
        finally:
            observer.stop()
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(shown, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)
        if told or os.fstat(output.fileno()).st_size:
            raise Unusable(f"importing {', '.join(modules)} prints or warns")
        if shell.asked:
            raise Unusable(f"its imports ask the kernel's shell for {shell.asked[0]!r}")
    del os.environ[_BACKEND[0]]
    _check(observer, before)
    _set_threads(_possible(threads))
    if is_plain:
        visible -= {name for name in visible if name.partition(".")[0] == _OURS}
    return Loaded(HiddenModules(recorder, visible), variables)


def become_kernel(request: dict[str, Any], loaded: Loaded) -> None:
    """Runs the kernel of the request in this process, which was forked for it."""
    generators: Any = loaded.modules.module("numpy.random")
    if generators is not None:
        generators.seed()  # as when it is imported; `random` does so by itself
    random.seed()
    for name, text in loaded.variables.items():
        os.environ.setdefault(name, text)
    sys.meta_path.insert(0, loaded.modules)
    launcher = find_spec("ipykernel_launcher")
    sys.argv = [launcher.origin if launcher and launcher.origin else "ipykernel_launcher", *request["arguments"]]
    sys.modules["ipykernel.kernelapp"].launch_new_instance()


def _import_all(modules: Sequence[str]) -> None:
    for name in modules:
        try:
            __import__(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise Unusable(f"{name} cannot be imported: {error}") from error
        except UnrepeatableImport:
            raise
        except Exception as error:  # whatever its code raises
            raise Unusable(f"{name} cannot be imported: {error}") from error


def _ambient() -> dict[str, object]:
    """Returns the parts of the ambient state that importing a library has no business with."""
    repeated = {"environment variables", "warning filters", "logging"}
    return {part.name: part().capture() for part in PARTS if not part.library and part.name not in repeated}


def _check(observer: Observer, before: dict[str, object]) -> None:
    """Checks that nothing is left of the imports but modules.

    Raises:
        Unusable: there is.
    """
    if (tasks := _tasks()) > 1:
        raise Unusable(f"its imports have started {tasks - 1} thread{'s' if tasks > 2 else ''}")
    seen = [*observer.files_read(), *observer.written, *observer.hosts, *observer.commands]
    if seen or observer.listed:
        raise Unusable(f"its imports read {seen[0] if seen else next(iter(observer.listed)).folder}")
    now = _ambient()
    if changed := [part for part, state in before.items() if now[part] != state]:
        raise Unusable(f"its imports change the {changed[0]}")
    if asking := [name for name in sys.modules if asks_around(name)]:
        raise Unusable(f"its imports load {asking[0]}, which depends on the kernel")


def _possible(threads: int) -> int:
    """Returns how many threads OpenBLAS uses that is told so many when it starts, at most the processors' number."""
    processors = len(os.sched_getaffinity(0))
    return min(threads or processors, processors)


def _set_threads(number: int) -> None:
    """Sets how many threads linear algebra uses in forked processes, where they start when they are first needed.

    OpenBLAS starts them when the number is set, and they wait for work by computing for a tenth of a second. Before a
    fork it ends them, in both processes starts them again on demand, and keeps the number (its `blas_server.c`).

    Raises:
        Unusable: there is a library that does not work like that.
    """
    blas = [library for library in _thread_pools() if library.user_api == "blas"]
    if strange := [library.internal_api for library in blas if library.internal_api != "openblas"]:
        raise Unusable(f"the number of threads of {strange[0]} cannot be set later")
    for library in blas:
        library.set_num_threads(number)
    if blas:
        if (fork := os.fork()) == 0:
            os._exit(0)
        os.waitpid(fork, 0)
    if (tasks := _tasks()) > 1:
        raise Unusable(f"its libraries keep {tasks - 1} thread{'s' if tasks > 2 else ''}")


def _tasks() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def _thread_pools() -> Sequence[Any]:
    control = sys.modules.get("threadpoolctl")  # scikit-learn brings it
    return control.ThreadpoolController().lib_controllers if control else ()


class _Server:
    """Forks on request, and tells when a kernel has ended."""

    def __init__(self, channel: socket.socket, owner: int) -> None:
        self._channel = channel
        # The channel stays open while a fork of the owner is there, which knows nothing of it.
        self._owner = os.pidfd_open(owner)
        self._kernels: dict[int, int] = {}  # descriptor of the process -> its number

    def serve(self) -> dict[str, Any] | None:
        """Returns the request in a process that was forked for it, and None when the other side is gone."""
        while True:
            asking = self._channel.fileno()
            poll = select.poll()  # `select.select` takes no descriptors above 1023
            for descriptor in (asking, self._owner, *self._kernels):
                poll.register(descriptor, select.POLLIN)
            for descriptor, _ in poll.poll():
                if descriptor in self._kernels:
                    self._bury(descriptor)
                    continue
                request, output = _receive(self._channel) if descriptor == asking else (None, [])
                if request is None:
                    self._end()
                    return None
                if self._fork(request, output):
                    return request
                for taken in output:
                    os.close(taken)

    def _fork(self, request: dict[str, Any], output: Sequence[int]) -> bool:
        """Returns whether this is the new process."""
        if (tasks := _tasks()) > 1:
            _tell(self._channel, refused=f"the process that kernels are forked from has {tasks} threads")
            return False
        reader, writer = os.pipe()
        number = os.fork()
        if number == 0:
            os.close(reader)
            self._channel.close()
            for descriptor in (self._owner, *self._kernels):
                os.close(descriptor)
            _settle(request, output)
            os.close(writer)  # it leads its own session now, and can be signalled as a group
            return True
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        self._kernels[os.pidfd_open(number)] = number
        _tell(self._channel, pid=number)
        return False

    def _bury(self, descriptor: int) -> None:
        number = self._kernels.pop(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(number, 0)
        _tell(self._channel, ended=[number, os.waitstatus_to_exitcode(status)])

    def _end(self) -> None:
        for number in self._kernels.values():
            with suppress(ProcessLookupError):
                os.killpg(number, signal.SIGKILL)
        for number in self._kernels.values():
            os.waitpid(number, 0)


def _settle(request: dict[str, Any], output: Sequence[int]) -> None:
    """Gives the process what a new one would be given: session, streams, folder, variables."""
    os.setsid()
    nothing, writer = os.pipe()
    os.close(writer)
    for target, source in enumerate((nothing, *output)):
        os.dup2(source, target)
    for descriptor in (nothing, *output):
        os.close(descriptor)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update({**request["environment"], "JPY_PARENT_PID": str(os.getppid())})


def _receive(channel: socket.socket) -> tuple[dict[str, Any] | None, Sequence[int]]:
    """Returns the next request with the two descriptors that came along, None when the other side is gone."""
    try:
        head, descriptors, _, _ = socket.recv_fds(channel, 8, 2)
        if len(head) < 8 or len(descriptors) != 2:
            return None, ()
        length, text = int.from_bytes(head, "big"), b""
        while len(text) < length:
            part = channel.recv(length - len(text))
            if not part:
                return None, ()
            text += part
    except OSError:
        return None, ()
    request: dict[str, Any] = json.loads(text)
    return request, descriptors


def _tell(channel: socket.socket, **message: Any) -> None:
    with suppress(OSError):  # the other side is gone, which the next request tells
        channel.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
