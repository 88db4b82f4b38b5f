"""Threads that steps run in, each with a process of its own: the runner hands out tasks and hears how they ended.

A step notebook is executed by an event loop that blocks its thread, so several at once take several threads. A lane
keeps its process for the steps that are joined, and everything that is done to the process is done in its thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from msgspec import Struct

from nbmlops.runtime.kernels.process import StepProcess
from nbmlops.runtime.schedule.execute import Ending, Job
from nbmlops.runtime.steps.context import StepContext, StepReport

_PATIENCE = 1.0  # seconds until a lane that was told to stop has its processes killed


class Task(Struct, frozen=True):
    """A step notebook to execute, after so many seconds."""

    context: StepContext
    job: Job
    wait: float = 0.0


class Ended(Struct, frozen=True):
    """How a task ended: with an ending and what the step told, or with an exception that is no fault of the step."""

    step: str
    ending: Ending | None = None
    report: StepReport | None = None
    fault: BaseException | None = None


Outbox = SimpleQueue[Ended]


class Lane:
    """A thread with the process of a step, or of several that are joined.

    Args:
        process: Belongs to the lane from now on.
        outbox: Where it tells how tasks ended.
        sleep: Waits so many seconds.
    """

    def __init__(self, process: StepProcess, outbox: Outbox, sleep: Callable[[float], None]) -> None:
        self._process, self._outbox, self._sleep = process, outbox, sleep
        self._inbox: SimpleQueue[Task | bool] = SimpleQueue()  # a task, or whether to end gently
        self._loop: Any = None
        self._sleeps = False
        self._is_at_work = self._is_stopped = False
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="nbmlops-step", daemon=True)
        self._thread.start()

    @property
    def is_warm(self) -> bool:
        """Whether its process was forked from one that has the steps' imports."""
        return self._process.is_warm

    def run(self, task: Task) -> None:
        """Begins the task; its end is told to the outbox."""
        self._inbox.put(task)

    def close(self, *, gently: bool = False) -> None:
        """Ends the process, when the task it is at has ended; returns when it is gone.

        Args:
            gently: As for `StepProcess.close`.
        """
        self._inbox.put(gently)
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def interrupt(self) -> None:
        """Stops the task it is at, as Ctrl-C does, and has the process ended; does not wait for it."""
        self._is_stopped = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has just been closed
                self._loop.call_soon_threadsafe(self._break_off)
        self._inbox.put(False)

    def settle(self) -> None:
        """Waits a moment for the end of the lane, which was interrupted."""
        if not self._sleeps:
            self._thread.join(_PATIENCE)

    def wait(self) -> None:
        """Returns when the lane, which was interrupted, has ended: what is left of its processes is killed."""
        while self._thread.is_alive() and not self._sleeps:
            self._process.kill()
            self._thread.join(0.1)

    def _work(self) -> None:
        from jupyter_core.utils import ensure_event_loop

        self._loop = ensure_event_loop()  # the one that everything in this thread runs in
        gently = False
        try:
            while not isinstance(order := self._inbox.get(), bool):
                self._outbox.put(self._ended(order))
            gently = order
        finally:
            try:
                self._process.close(gently=gently)
            except BaseException as error:  # noqa: BLE001 - told to whoever waits for the end
                self._fault = None if self._is_stopped else error
            self._loop.close()

    def _ended(self, task: Task) -> Ended:
        step = task.context.step
        try:
            if task.wait:
                self._sleeps = True
                self._sleep(task.wait)
                self._sleeps = False
            if self._is_stopped:
                return Ended(step, fault=KeyboardInterrupt())
            self._is_at_work = True
            ending, report = self._process.run(task.context, task.job)
        except BaseException as error:  # noqa: BLE001 - raised again by the runner
            return Ended(step, fault=error)
        finally:
            self._is_at_work = False
        return Ended(step, ending, report)

    def _break_off(self) -> None:
        if self._is_at_work:  # else the process is being ended already
            raise KeyboardInterrupt
