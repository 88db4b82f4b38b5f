"""Questions whether a path exists, seen while they are asked: Python raises no audit event for them.

The functions that answer them get other code, which tells of the path and then does what it did. They stay the objects
that they are, so that a question is also seen where a library took the function under a name of its own.
"""

from __future__ import annotations

import genericpath
import os
import posixpath
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

_ASKING: tuple[FunctionType, ...] = tuple(
    function
    for function in (
        genericpath.exists,
        genericpath.isfile,
        genericpath.isdir,
        posixpath.lexists,
        Path.exists,
        Path.is_file,
        Path.is_dir,
    )
    if isinstance(function, FunctionType)
)

Listener = Callable[[str], None]


class Looks:
    """What is told of every question; a process has one, and it tells one listener."""

    def __init__(self) -> None:
        self._listener: Listener = _nobody
        self._real: dict[str, FunctionType] = {}

    def start(self, listener: Listener) -> None:
        """Begins to tell; the listener itself must not ask in this way."""
        self._listener = listener
        if not self._real:
            for function in _ASKING:
                self._replace(function)

    def stop(self) -> None:
        """Ends telling; the functions are as they were."""
        self._listener = _nobody
        for function in _ASKING:
            if real := self._real.get(function.__qualname__):
                function.__code__ = real.__code__
                function.__defaults__, function.__kwdefaults__ = real.__defaults__, real.__kwdefaults__
        self._real = {}

    def ask(self, real: FunctionType, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Returns the answer, after telling of the question."""
        if arguments and isinstance(arguments[0], str | bytes | os.PathLike):
            self._listener(os.fsdecode(arguments[0]))
        return real(*arguments, **options)

    def _replace(self, function: FunctionType) -> None:
        real = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
        real.__kwdefaults__ = function.__kwdefaults__
        self._real[function.__qualname__] = real
        name = f"_nbmlops_{function.__name__}"
        function.__globals__[name] = partial(self.ask, real)
        source = f"def {function.__name__}(*arguments, **options):\n    return {name}(arguments, options)\n"
        made: dict[str, Any] = {}
        exec(compile(source, function.__code__.co_filename, "exec"), made)  # noqa: S102 - the text stands above
        function.__code__ = made[function.__name__].__code__
        function.__defaults__ = function.__kwdefaults__ = None


def _nobody(path: str) -> None:
    """Listens to nothing."""


LOOKS = Looks()
