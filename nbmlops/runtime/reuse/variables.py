"""Environment variables as inputs of steps: those that the step's own code asks for, known by digests.

Libraries read dozens of them, such as `HOME` and `TERM`, which must not age any result; only what the user's code reads
counts. A value may be a secret, so records hold its digest.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from nbmlops.core.digest import digest_bytes

_BETWEEN = ("<frozen os>", "<frozen _collections_abc>", os.__file__, "_collections_abc.py")


class _Watched(type(os.environ)):  # type: ignore[misc]  # the class of `os.environ` has no public name
    """`os.environ`, telling `_WATCH` which variables are read, and by the code of which file."""

    def __getitem__(self, key: Any) -> Any:
        frame = sys._getframe(1)  # noqa: SLF001 - the one way to know who asks
        while frame.f_back is not None and frame.f_code.co_filename.endswith(_BETWEEN):
            frame = frame.f_back
        if isinstance(key, str) and _WATCH.is_users(frame.f_code.co_filename):
            _WATCH.read[key] = None
        return super().__getitem__(key)


class Watch:
    """What was read of the variables as they were at the beginning. A process has one."""

    def __init__(self) -> None:
        self.read: dict[str, None] = {}
        self.is_users: Callable[[str], bool] = lambda _: False
        self._before: dict[str, str] = {}

    def start(self, is_users: Callable[[str], bool]) -> None:
        """Begins to watch.

        Args:
            is_users: Says of a file whether it holds code of the user.
        """
        self._before, self.read, self.is_users = dict(os.environ), {}, is_users
        os.environ.__class__ = _Watched

    def stop(self) -> dict[str, str]:
        """Ends watching; returns variable -> digest of its value at the beginning."""
        self.is_users = lambda _: False
        if self.read.keys() >= self._before.keys():
            return {}  # handed on as a whole, to another program say: none of them was asked for
        return digests(sorted(self.read), self._before)


_WATCH = Watch()


def watch() -> Watch:
    """Returns the watch of this process."""
    return _WATCH


def digests(names: list[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Returns name -> digest of the variable's value, "" if it is not set."""
    return {name: _digest(environment[name]) if name in environment else "" for name in names}


def _digest(value: str) -> str:
    return digest_bytes(value.encode(errors="surrogateescape"))
