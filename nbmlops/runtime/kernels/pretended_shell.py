"""A stand-in for a kernel's shell, seen by imports that happen before there is a kernel."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import contextmanager


class PretendedShell:
    """What `get_ipython()` returns to a module that is imported ahead: it tells that there is a kernel, and no more.

    pandas asks no more than that, to know whether wide frames are cut to the width of a terminal. What else a module
    asks for is noted in `asked`, since only the kernel's own shell could answer.
    """

    kernel = None

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        """Notes the name.

        Raises:
            AttributeError: always.
        """
        self.asked.append(name)
        raise AttributeError(name)


@contextmanager
def pretended_shell() -> Iterator[PretendedShell]:
    """Yields the shell that `get_ipython()` returns meanwhile, as it would in a cell."""
    shell = PretendedShell()
    builtins.get_ipython = lambda: shell  # type: ignore[attr-defined]  # IPython puts its own there in the same way
    try:
        yield shell
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]  # set above
