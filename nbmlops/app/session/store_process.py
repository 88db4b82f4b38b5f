"""The stores of a notebook's run, spoken to in a process of its own, so that MLflow is never imported in the kernel.

MLflow takes seconds of the interpreter lock to import, also on a thread, and cells would wait for it. Comes in: calls
of a tracker or a registry. Goes out: their results, from `store_process_main`, which has the real ones. The process
starts with the first call, and again when it died; it ends when its standard input is closed, which the system does for
a kernel however it ends. Requests and answers are pickles between two processes of one program, over pipes that nobody
else has.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from nbmlops.app.session.store_process_main import ERROR, RESULT, UNTOLD, Setup, read_frame, write_frame
from nbmlops.app.wiring import Stores, shown_uri
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import EnvironmentFault, StoreAway
from nbmlops.core.threads import own_work
from nbmlops.gate.verdict import Verdict
from nbmlops.registry.registry import Candidate, ModelRegistry, ModelVersion
from nbmlops.tracking.redacted import redact_tags
from nbmlops.tracking.redaction import process_redactor
from nbmlops.tracking.tracker import Tracker

_MAIN = Path(__file__).with_name("store_process_main.py")


class NotToldError(Exception):
    """A value that another process cannot have: its class, or something in it, exists in this one only."""


class _Child:
    """One process, with the calls that it has not answered."""

    def __init__(self, setup: Setup) -> None:
        # A session (on Windows: a group) of its own: what interrupts or ends the kernel's group is not for this one.
        alone: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            alone = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", str(_MAIN)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                **alone,
            )
        except OSError as error:
            raise StoreAway(f"the process that speaks to the tracking store cannot be started: {error}") from error
        self._open: dict[int, Future[Any]] = {}
        self._count = 0
        self._write(0, pickle.dumps(tuple(setup)))
        threading.Thread(target=self._listen, name="nbmlops-answers", daemon=True).start()

    def ask(self, request: bytes) -> Future[Any]:
        """Returns what will be the answer."""
        self._count += 1
        answer: Future[Any] = Future()
        self._open[self._count] = answer
        self._write(self._count, request)
        return answer

    def _write(self, number: int, data: bytes) -> None:
        assert self.process.stdin is not None
        try:
            write_frame(self.process.stdin, number, data)
        except (OSError, ValueError) as error:  # broken, or closed by the thread that saw the end first
            raise _died() from error
        except BaseException:  # Ctrl-C in the middle: what follows could not be read any more
            self.process.kill()
            raise

    def _listen(self) -> None:
        with own_work():
            assert self.process.stdout is not None
            assert self.process.stdin is not None
            while (frame := read_frame(self.process.stdout)) is not None:
                number, data = frame
                kind, result = _loaded(data)
                answer = self._open.pop(number)
                if kind == RESULT:
                    answer.set_result(result)
                else:
                    answer.set_exception(NotToldError(result) if kind == UNTOLD else result)
            self.process.wait()
            for answer in list(self._open.values()):
                answer.set_exception(_died())
            for stream in (self.process.stdin, self.process.stdout):
                with suppress(OSError):  # what could not be written any more
                    stream.close()


def _loaded(data: bytes) -> tuple[int, Any]:
    """Returns kind and result of an answer; whoever waits for one that cannot be read must not wait for ever."""
    try:
        kind, result = pickle.loads(data)  # noqa: S301 - from the process that this one started
    except Exception as error:  # noqa: BLE001  # whatever classes do when they are made again
        reason = f"{type(error).__name__}: {error}"
        return ERROR, EnvironmentFault(f"the answer of the tracking store cannot be read here: {reason}")
    return kind, result


def _died() -> StoreAway:
    return StoreAway("the process that speaks to the tracking store has ended", "it is started again by itself")


class StoreProcess:
    """A process that has the real stores.

    Args:
        root: The project's root.
        uri: As `tracking_uri` gives it.
        key: Of the spool that the process sends when this one has ended without having done so; "" for none.
    """

    def __init__(self, root: Path, uri: str, key: str = "") -> None:
        self._place = (str(root), uri, key)
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._closed = False

    def call(self, port: str, method: str, *arguments: object, **named: object) -> Any:
        """Returns what the method of a store returned there.

        Args:
            port: "tracker" or "registry".
            method: One of its methods.
            *arguments: For the method.
            **named: Likewise.

        Raises:
            NbmlopsError: as the method says.
            StoreAway: the process cannot be started, or died.
            NotToldError: an argument cannot be handed over.
        """
        try:
            request = pickle.dumps((port, method, arguments, named))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise NotToldError(str(error)) from error
        with self._lock:
            if self._closed:
                raise StoreAway("the process that speaks to the tracking store has been ended")
            if self._child is None or self._child.process.poll() is not None:
                self._child = _Child(Setup(tuple(sys.path), os.getpid(), *self._place))
            answer = self._child.ask(request)
        return answer.result()

    def close(self) -> None:
        """Ends the process as soon as its call to a store comes back, and what is left in the spool is tried once."""
        with self._lock:
            self._closed = True
            if self._child is not None and self._child.process.stdin is not None:
                self._child.process.stdin.close()

    def abandon(self) -> None:
        """Lets go of the pipes in a forked child, whose parent may end and be seen to."""
        self._closed = True
        if self._child is not None:
            # Not closed as files: a thread of the parent may have been in the middle of using them.
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (self._child.process.stdin, self._child.process.stdout):
                if stream is not None and not stream.closed:
                    os.dup2(nothing, stream.fileno(), inheritable=False)
            os.close(nothing)


class _Remote:
    """A store in another process; every method of the real one."""

    def __init__(self, process: StoreProcess, port: str, uri: str) -> None:
        self._process, self._port = process, port
        self.uri = shown_uri(uri)

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)
        return partial(self._redacted if method in _WRITES else self._process.call, self._port, method)

    def _redacted(self, port: str, method: str, *arguments: object, **named: object) -> Any:
        """Calls what writes documents; which secrets there are is known here, not in the other process."""
        clean = _tags_without_secrets if method == "set_tags" else _without_secrets
        return self._process.call(port, method, *map(clean, arguments), **named)


_WRITES = frozenset({"log_document", "set_tags"})


def _tags_without_secrets(argument: object) -> object:
    return redact_tags(argument, process_redactor()) if isinstance(argument, dict) else argument


def _without_secrets(argument: object) -> object:
    return process_redactor().document(argument, "a document of the run") if isinstance(argument, dict) else argument


class _RemoteRegistry(_Remote):
    modules = ()

    def __init__(self, process: StoreProcess, uri: str, here: Stores) -> None:
        super().__init__(process, "registry", uri)
        self._here = here

    def add(self, candidate: Candidate, verdict: Verdict) -> ModelVersion:
        """Returns a new version; made in this process where the other one cannot have the model or its features."""
        from nbmlops.registry.model_format import trusted_types  # noqa: PLC0415  # only registering needs these
        from nbmlops.registry.write_model import first_rows  # noqa: PLC0415  # likewise

        trusted_types(candidate.model)  # a class of the notebook's is refused here, where it is known
        few = replace(
            candidate,
            features=first_rows(candidate.features),
            schema=cast("dict[str, Json]", _without_secrets(dict(candidate.schema))),
            profile=cast("dict[str, Json]", _without_secrets(dict(candidate.profile))),
        )
        try:
            version = self._process.call("registry", "add", few, verdict)
        except NotToldError:
            return self._here.registry.add(candidate, verdict)
        return cast("ModelVersion", version)


class RemoteStores(Stores):
    """`Stores` that are spoken to in another process."""

    def __init__(self, root: Path, uri: str, key: str = "") -> None:
        super().__init__(root, uri)
        self._process = StoreProcess(root, uri, key)

    @cached_property
    def tracker(self) -> Tracker:
        """The tracking store."""
        return cast("Tracker", _Remote(self._process, "tracker", self._uri))

    @cached_property
    def registry(self) -> ModelRegistry:
        """The model registry."""
        here = Stores(self._root, self._uri)
        return cast("ModelRegistry", _RemoteRegistry(self._process, self._uri, here))

    def close(self) -> None:
        """Ends the other process; see `StoreProcess.close`."""
        self._process.close()

    def abandon(self) -> None:
        """Lets go of it in a forked child."""
        self._process.abandon()
