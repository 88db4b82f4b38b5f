"""The process that speaks to the stores for a notebook's kernel; see `store_process`, which starts it.

It answers one call after another until its standard input ends. Then the kernel has ended, or does not want it any
more: what a kernel that died has left in its spool is sent, and the process ends, within a minute whatever hangs.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from nbmlops.app.wiring import Stores

LAST_SECONDS = 60.0
"""How long the process may outlive its kernel."""
_LOCK_SECONDS = 5.0
_LOOK_SECONDS = 2.0
_HEAD = struct.Struct("<QQ")
RESULT, ERROR, UNTOLD = range(3)
"""Kinds of answers: what the call returned, what it raised, and that its arguments cannot be had here."""

Request = tuple[int, bytes]


class Setup(NamedTuple):
    """What the process is told first; of plain types, since nothing of nbmlops can be imported before.

    Attributes:
        path: The kernel's `sys.path`.
        parent: Its process.
        root: The project's root.
        uri: The stores' address.
        key: The key of the run's spool, or "".
    """

    path: tuple[str, ...]
    parent: int
    root: str
    uri: str
    key: str


def write_frame(stream: IO[bytes], number: int, data: bytes) -> None:
    """Writes one numbered message."""
    stream.write(_HEAD.pack(number, len(data)) + data)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Request | None:
    """Returns the next numbered message, None where the stream ends, also in the middle of one."""
    try:
        head = stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        number, length = _HEAD.unpack(head)
        data = stream.read(length)
    except (OSError, ValueError):  # closed by the other side, or by this one
        return None
    return (number, data) if len(data) == length else None


def main() -> None:
    """Serves the kernel on standard input and output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the kernel that is interrupted
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # what libraries print must not get in between
        os.dup2(nothing, stream)
    first = read_frame(requests)
    if first is None:
        return
    setup = Setup(*pickle.loads(first[1]))  # noqa: S301 - from the process that started this one
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it speaks to the store, and to nobody else
    sys.path[:] = setup.path
    waiting: SimpleQueue[Request | None] = SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting), daemon=True).start()
    if os.name != "nt":  # there no process inherits a pipe by accident
        threading.Thread(target=_watch, args=(setup.parent, waiting), daemon=True).start()

    from nbmlops.app.wiring import Stores  # noqa: PLC0415  # not before the path is known

    _know_secrets(Path(setup.root), setup.uri)
    stores = Stores(Path(setup.root), setup.uri)
    while (request := waiting.get()) is not None:
        answer = _answer(stores, request[1])
        with suppress(OSError):  # a kernel that is gone needs no answer
            write_frame(answers, request[0], answer)
    try:
        _send_rest(stores, Path(setup.root), setup.key)
    finally:
        os._exit(0)  # whatever threads libraries have left


def _know_secrets(root: Path, uri: str) -> None:
    """Lets the settings on secrets hold here as in the kernel."""
    from nbmlops.app.config.config import load_config  # noqa: PLC0415  # as in `main`
    from nbmlops.core.errors import NbmlopsError  # noqa: PLC0415  # likewise
    from nbmlops.core.secret_settings import know_secrets  # noqa: PLC0415  # likewise

    with suppress(NbmlopsError):  # the kernel has told of malformed settings
        know_secrets(load_config(root).for_pipeline("").secrets, uri)


def _read(requests: IO[bytes], waiting: SimpleQueue[Request | None]) -> None:
    while (request := read_frame(requests)) is not None:
        waiting.put(request)
    _end_soon(waiting)


def _watch(parent: int, waiting: SimpleQueue[Request | None]) -> None:
    """Notices the kernel's end where a process that its user forked keeps the pipe open."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    _end_soon(waiting)


def _end_soon(waiting: SimpleQueue[Request | None]) -> None:
    waiting.put(None)
    time.sleep(LAST_SECONDS)
    os._exit(0)


def _answer(stores: Stores, request: bytes) -> bytes:
    """Returns the pickled result of a call, or its error."""
    from nbmlops.core.errors import NbmlopsError, StoreAway  # noqa: PLC0415  # as in `main`

    try:
        port, method, arguments, named = pickle.loads(request)  # noqa: S301 - from the process that started this one
    except Exception as error:  # noqa: BLE001  # whatever the user's classes do when they are made again
        return pickle.dumps((UNTOLD, f"{type(error).__name__}: {error}"))
    try:
        result: Any = getattr(getattr(stores, port), method)(*arguments, **named)
        return pickle.dumps((RESULT, result))
    except NbmlopsError as error:
        return pickle.dumps((ERROR, error))
    except Exception as error:  # noqa: BLE001  # the caller is another process, which must hear of it
        fault = StoreAway(f"the tracking store cannot be used: {type(error).__name__}: {error}")
        return pickle.dumps((ERROR, fault))


def _send_rest(stores: Stores, root: Path, key: str) -> None:
    """Sends what a kernel that is gone has left, as `nbmlops sync` does."""
    from nbmlops.app.session.sync import SyncState, sync_spool  # noqa: PLC0415  # as in `main`

    end = time.monotonic() + _LOCK_SECONDS
    # The system closes the files of a dead process one by one, the spool's lock perhaps after the pipe.
    while key and sync_spool(root, key, stores.tracker) is SyncState.RUNNING and time.monotonic() < end:
        time.sleep(0.1)


if __name__ == "__main__":
    main()
