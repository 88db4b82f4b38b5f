"""The tracked run of a pipeline, kept on a thread of its own: MLflow is imported and spoken to while steps execute.

So is what only the registration imports, since it takes seconds that would otherwise follow the last step.

Nothing here knows MLflow; it is handed a way to make the tracker. The work is done in order. The first fault ends it,
and is raised where the caller asks for a result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from nbmlops.pipeline.run_record import StepLog
from nbmlops.tracking.tracker import RunFacts, RunStart, Tracker

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor


class BackgroundRun:
    """A tracked run that is started when something really happens, and then followed in the background.

    Args:
        make_tracker: Makes the tracker; called on the thread.
        make_start: Gathers what is known of the run when it starts; likewise.
    """

    def __init__(self, make_tracker: Callable[[], Tracker], make_start: Callable[[], RunStart]) -> None:
        self._make_tracker = make_tracker
        self._make_start = make_start
        self._worker: ThreadPoolExecutor | None = None
        self._started: Future[tuple[Tracker, RunFacts]] | None = None
        self._logged: list[Future[None]] = []
        self._waiting: list[Callable[[], StepLog]] = []

    @property
    def has_begun(self) -> bool:
        """Whether a run was asked for."""
        return self._started is not None

    def begin(self) -> None:
        """Starts the run in the background, once; what was logged before is sent first."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # a run that executes nothing has no thread

        if self._started is None:
            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nbmlops-tracking")
            self._started = self._worker.submit(self._open)
            waiting, self._waiting = self._waiting, []
            for log in waiting:
                self.log_of(log)

    def log(self, log: StepLog) -> None:
        """Adds what a step recorded; kept until the run begins.

        Raises:
            EnvironmentFault: the store could not be used.
        """
        self.log_of(lambda: log)

    def log_of(self, log: Callable[[], StepLog]) -> None:
        """Adds what is gathered on the thread; kept until the run begins.

        Raises:
            EnvironmentFault: the store could not be used; told early, so that no more steps run in vain.
        """
        if self._worker is None:
            self._waiting.append(log)
            return
        self._raise_early()
        self._logged.append(self._worker.submit(self._send, log))

    def import_ahead(self, modules: Sequence[str]) -> None:
        """Imports modules in the background, once the run has begun; `close` gives up those that did not come to it.

        One that cannot be imported is told of where it is used.
        """
        if self._worker is not None:
            for module in modules:
                self._worker.submit(import_module, module)

    def started(self) -> tuple[Tracker, RunFacts]:
        """Returns the tracker and the run, begun now if need be, whatever became of what was logged.

        Raises:
            EnvironmentFault: the run could not be started.
        """
        self.begin()
        assert self._started is not None
        return self._started.result()

    def wait(self) -> tuple[Tracker, RunFacts]:
        """Returns the tracker and the run, begun now if need be, when everything logged so far is in the store.

        Raises:
            EnvironmentFault: the store cannot be used.
        """
        result = self.started()
        for logged in self._logged:
            logged.result()
        self._logged.clear()
        return result

    def close(self) -> None:
        """Ends the thread; what is queued and not yet begun is given up."""
        if self._worker is not None:
            self._worker.shutdown(wait=True, cancel_futures=True)

    def _open(self) -> tuple[Tracker, RunFacts]:
        tracker = self._make_tracker()
        return tracker, tracker.start_run(self._make_start())

    def _send(self, log: Callable[[], StepLog]) -> None:
        assert self._started is not None
        tracker, facts = self._started.result()
        tracker.log_step(facts.run_id, log())

    def _raise_early(self) -> None:
        for future in (self._started, *self._logged):
            if future is not None and future.done() and (error := future.exception()) is not None:
                raise error
