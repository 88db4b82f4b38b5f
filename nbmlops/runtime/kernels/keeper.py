"""Ends the processes of steps when this process is gone: the keeper, a tiny process that outlives it by a moment.

A kernel notices by itself that its parent is gone, but not while C code holds the interpreter, and the programs that it
has started notice nothing. So every kernel leads a process group; the keeper is told the groups through a pipe, and
kills those that are left when the pipe is closed, which the system does for a process however it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

_MAIN = Path(__file__).with_name("keeper_main.py")


class Keeper:
    """A process that waits for the end of this one; it starts with the first group that it is told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipe, self._owner = -1, 0

    def keep(self, group: int) -> None:
        """Has the group killed if this process ends before `release`."""
        self._tell(f"+{group}\n")

    def release(self, group: int) -> None:
        """Forgets the group."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._owner != os.getpid():  # also after a fork, whose parent has a keeper of its own
                self._start()
            # A keeper that was killed is missed, but no reason to fail; SIGPIPE is ignored by Python.
            with suppress(OSError):
                os.write(self._pipe, line.encode())

    def _start(self) -> None:
        theirs, self._pipe = os.pipe()
        self._owner = os.getpid()
        try:
            keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_MAIN)],
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        keeper.returncode = 0  # it outlives this process: nobody here waits for it


KEEPER = Keeper()


def end_group(group: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Sends a signal to every process of a group that is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
