"""Runs the steps of a compiled pipeline in notebook order: cached ones are skipped, others executed by papermill.

What the cache has of it is taken by `schedule.course`, the rest is executed by `schedule.turns`.

Nothing heavy is imported before a step has to be executed. State is written when a step has succeeded, whole or not
at all, so that a run can be stopped at any point and the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nbmlops.pipeline.codec import read_pipeline
from nbmlops.runtime.layout import LOCK_FILE, layout_of, pipeline_file
from nbmlops.runtime.lock import locked
from nbmlops.runtime.schedule.course import Course
from nbmlops.runtime.schedule.events import Event, RunWaiting
from nbmlops.runtime.schedule.results import RunOptions, StepsResult
from nbmlops.runtime.schedule.unfinished import OpenRun, RunTrace
from nbmlops.runtime.termination import Terminated, termination_interrupts


def run_pipeline(folder: Path, options: RunOptions, on_event: Callable[[Event], None]) -> StepsResult:
    """Returns what running the steps gave; a failing step or an interruption is a result, not an exception.

    Args:
        folder: A folder with a `pipeline.yaml`.
        options: Parameters, and how to run.
        on_event: Told of everything that happens, in order.

    Raises:
        UsageError: the pipeline cannot be read, or a parameter is wrong.
        EnvironmentFault: the disk is full, a folder is not writable, or ipykernel is not installed.
        Conflict: another run of the pipeline did not end in time.
    """
    with open_run(folder, options, on_event) as opened:
        return opened.go()


@contextmanager
def open_run(folder: Path, options: RunOptions, on_event: Callable[[Event], None]) -> Iterator[OpenRun]:
    """Yields a run that nobody has begun yet, for those who go on after its last step; otherwise as `run_pipeline`."""
    pipeline = read_pipeline(pipeline_file(folder))
    layout = layout_of(folder, pipeline)
    started = options.now()
    name = f"{started:%Y%m%dT%H%M%SZ}-{options.new_id()}"
    trace = RunTrace(layout, pipeline, name, options)
    course = Course(pipeline, layout, options, trace.follow(on_event), name)

    def waiting(who: str) -> None:
        on_event(RunWaiting(who))

    # Runs of single steps may go on at the same time: what they write is written whole, and they remove nothing.
    with (
        locked(layout.state / LOCK_FILE, started.isoformat(), options.wait, waiting, shared=bool(options.only)),
        trace.left(on_event),
    ):
        yield OpenRun(lambda: _go(course), trace)


def _go(course: Course) -> StepsResult:
    """Returns the result of the run."""
    stopped_by = ""
    try:
        with termination_interrupts():
            if reason := course.take_cached():
                from nbmlops.runtime.schedule.turns import Turns  # noqa: PLC0415  # half of what a run without it imports

                Turns(course, reason).go()
    except KeyboardInterrupt as interruption:
        stopped_by = "SIGTERM" if isinstance(interruption, Terminated) else "SIGINT"
    return course.closed(stopped_by)
