"""What goes wrong in a step's process beside its cells: exceptions in threads, tasks that nobody waits for.

In a notebook they are a text in the output, and everything goes on as if nothing had happened. They make no step fail,
but they are kept and told; `--strict` makes them count.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

_MOST = 20


class StrayErrors:
    """Listens from `start` until `stop`."""

    def __init__(self) -> None:
        self._messages: list[str] = []
        self._before: Callable[[Any], object] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Begins to listen; what threads and tasks say is shown as ever."""
        self._before, threading.excepthook = threading.excepthook, self._in_thread
        self._tasks = _tasks()

    def stop(self) -> tuple[str, ...]:
        """Ends listening; returns what went wrong, in order."""
        if self._before is not None:
            threading.excepthook, self._before = self._before, None
        left = [task for task in _tasks() - self._tasks if not task.done() and _is_users(task)]
        found = [*self._messages, *sorted(f"the task {task.get_name()} was never awaited to its end" for task in left)]
        return tuple(dict.fromkeys(found))[:_MOST]

    def _in_thread(self, arguments: threading.ExceptHookArgs) -> None:
        name = arguments.thread.name if arguments.thread is not None else "a thread"
        self._messages.append(f"{arguments.exc_type.__name__} in {name}: {arguments.exc_value}"[:500])
        if self._before is not None:
            self._before(arguments)


def _tasks() -> set[asyncio.Task[Any]]:
    try:
        return set(asyncio.all_tasks())
    except RuntimeError:  # no loop runs here
        return set()


def _is_users(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and not any(part in code.co_filename for part in ("ipykernel", "tornado", "zmq", "asyncio"))
