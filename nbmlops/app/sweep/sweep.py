"""A sweep: the pipeline run at many points of its parameters; the best one goes through the gate to the registry.

Each point is a run like any other, so steps that points have in common are executed once, and a sweep that was
stopped goes on where it was. Only the best point is judged, and only when no point failed: a model is not registered
because better ones broke.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from nbmlops.app.config.toml_text import read_text
from nbmlops.app.project import RUNS_FOLDER
from nbmlops.app.running.background import BackgroundRun
from nbmlops.app.running.elsewhere import are_known_apart, execute_points_elsewhere
from nbmlops.app.running.opened import OpenedPipeline, open_pipeline
from nbmlops.app.running.outcome import RunOutcome
from nbmlops.app.running.progress import PointFinished, PointStarted, Progress
from nbmlops.app.running.run import RunRequest, run, run_options
from nbmlops.app.sweep.plan import Method, SweepPlan, plan_of_file, plan_of_texts
from nbmlops.app.sweep.record import (
    PointStatus,
    SweepOutcome,
    SweepPoint,
    SweepRecord,
    best_of,
    point_of,
    sweep_to_json,
)
from nbmlops.app.sweep.samplers import Sampler, sampler_of
from nbmlops.app.sweep.space import Point
from nbmlops.app.wiring import Stores
from nbmlops.core.documents import write_atomically, write_json_document
from nbmlops.core.errors import NbmlopsError, StepFailed, UsageError
from nbmlops.pipeline.run_record import MetricValue, RunStatus, StepLog
from nbmlops.tracking.lineage import SWEEP
from nbmlops.tracking.tracker import RunStart, RunState

SWEEP_FILE = "sweep.json"
PAGE_FILE = "sweep.html"


def plan_sweep(request: RunRequest, file: str, best: str) -> SweepPlan | None:
    """Returns the sweep that the caller asks for, None when each parameter has one value.

    Args:
        request: Names the pipeline and its parameters.
        file: A sweep file relative to the working directory; "" for none.
        best: "METRIC" or "METRIC:higher|lower"; "" leaves it to the file or the gate's rules.

    Raises:
        UsageError: the pipeline, a parameter, or what is best cannot be used.
        ConfigError: the sweep file is malformed.
        EnvironmentFault: it cannot be read.
    """
    opened = open_pipeline(request.pipeline, request.cwd)
    if not file:
        return plan_of_texts(opened.pipeline, request.parameters, best, opened.config.policy)
    text = read_text(request.cwd / file)
    if text is None:
        raise UsageError(f"there is no sweep file {file}", "see: nbmlops run --help")
    return plan_of_file(opened.pipeline, text, file, request.parameters, best, opened.config.policy)


def sweep(
    request: RunRequest, plan: SweepPlan, tell: Callable[[Progress], None], page: Callable[[SweepRecord], str]
) -> SweepOutcome:
    """Returns how the sweep ended; failing points and an interruption are outcomes, not exceptions.

    Args:
        request: The pipeline, and how to run it; `parameters` are those of the plan.
        plan: The points.
        tell: Told of everything that happens, in order.
        page: Draws the comparison as an HTML page.

    Raises:
        UsageError: the pipeline or a parameter cannot be used.
        EnvironmentFault: disk, kernel or tracking store cannot be used, or Optuna is not installed.
        Conflict: another run of the pipeline did not end in time.
    """
    opened = open_pipeline(request.pipeline, request.cwd)
    sampler = sampler_of(plan)
    stores = Stores(opened.root, opened.uri)
    tags = {SWEEP: opened.pipeline.name}
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-sweep"
    tracked = BackgroundRun(lambda: stores.tracker, lambda: RunStart(opened.config.experiment, name, tags))
    folder = opened.root / RUNS_FOLDER / opened.pipeline.name / name
    with closing(tracked):
        return _Sweep(opened, request, plan, tracked, tell).go(sampler, folder, page)


class _Sweep:
    """One sweep, from its first point to the gate."""

    def __init__(
        self,
        opened: OpenedPipeline,
        request: RunRequest,
        plan: SweepPlan,
        tracked: BackgroundRun,
        tell: Callable[[Progress], None],
    ) -> None:
        self._opened, self._plan, self._tracked, self._tell = opened, plan, tracked, tell
        self._request = replace(request, parameters=(), values=plan.fixed, closing=False)
        self._closing = request.closing and not request.to_step
        self._points: list[SweepPoint] = []

    def go(self, sampler: Sampler, folder: Path, page: Callable[[SweepRecord], str]) -> SweepOutcome:
        """Returns how the sweep ended."""
        try:
            stopped = self._try_points(sampler)
            record = self._record()
            if self._tracked.has_begun:
                record = self._documented(record, folder, page)
        except BaseException:
            self._end(RunState.KILLED)
            raise
        self._end(RunState.KILLED if stopped else RunState.FINISHED)
        if stopped is not None:
            return SweepOutcome(record, stopped=stopped)
        return self._close(record)

    def _try_points(self, sampler: Sampler) -> RunOutcome | None:
        """Returns the outcome of the point that the user stopped, None if all were tried."""
        if self._request.executor and self._plan.method is not Method.OPTUNA:
            return self._try_elsewhere(list(iter(sampler.ask, None)))
        while (point := sampler.ask()) is not None:
            stopped = self._try(point, self._request)
            if stopped is not None:
                return stopped
            sampler.tell(self._points[-1].value)
        return None

    def _try_elsewhere(self, points: Sequence[Point]) -> RunOutcome | None:
        """Returns what `_try_points` does, after a cluster has executed the steps of all points, what is common once.

        Where it is not known yet that points leave each other alone, the first one goes first: its records tell it.
        """
        request, folder = self._request, self._opened.folder
        options = [run_options(self._opened, self._at(point, request)) for point in points]
        alone = 0 if are_known_apart(folder, options[0]) else 1
        for point in points[:alone]:
            stopped = self._try(point, request)
            if stopped is not None:
                return stopped
        faults = execute_points_elsewhere(folder, options[alone:], request.executor, self._tell)
        here = replace(request, executor="", force=False, from_step="")
        for point, fault in zip(points[alone:], faults, strict=True):
            stopped = self._try(point, here, fault)
            if stopped is not None:
                return stopped
        return None

    def _try(self, point: Point, request: RunRequest, fault: NbmlopsError | None = None) -> RunOutcome | None:
        """Returns the outcome of the point if the user stopped it; `fault` is what a worker said of it already."""
        number, total, metric = len(self._points) + 1, self._plan.total, self._plan.objective.metric
        self._tell(PointStarted(number, total, point))
        outcome = None
        try:
            if fault is not None:
                raise fault
            outcome = run(self._at(point, request), self._tell, self._parent)
            found = point_of(point, metric, outcome.record)
        except StepFailed as error:  # of a step that was executed elsewhere; here that is an outcome
            found = SweepPoint(point, PointStatus.FAILED, error=error.message.partition("\n")[0])
        self._points.append(found)
        if found.status is PointStatus.INTERRUPTED:
            return outcome
        failed = found.status is PointStatus.FAILED
        self._tell(PointFinished(number, total, metric, found.value, failed))
        return None

    def _at(self, point: Point, request: RunRequest) -> RunRequest:
        return replace(request, values={**self._plan.fixed, **point})

    def _parent(self) -> str:
        return self._tracked.started()[1].run_id

    def _record(self) -> SweepRecord:
        objective = self._plan.objective
        best = best_of(self._points, objective.direction)
        return SweepRecord(self._opened.pipeline.name, self._plan.method, objective, tuple(self._points), best)

    def _documented(self, record: SweepRecord, folder: Path, page: Callable[[SweepRecord], str]) -> SweepRecord:
        """Returns the record with its run and folder, after it was written to disk and to the tracked run."""
        tracker, facts = self._tracked.wait()
        shown = Path(os.path.relpath(folder, self._request.cwd)).as_posix()
        record = replace(record, run_id=facts.run_id, folder=shown)
        write_json_document(folder / SWEEP_FILE, sweep_to_json(record))
        write_atomically(folder / PAGE_FILE, page(record).encode())
        for file in (SWEEP_FILE, PAGE_FILE):
            tracker.log_artifacts(facts.run_id, folder / file)
        if record.best is not None:
            best = record.points[record.best]
            metrics = tuple(MetricValue(name, value) for name, value in best.metrics.items())
            tracker.log_step(facts.run_id, StepLog(params={**self._plan.fixed, **best.parameters}, metrics=metrics))
        return record

    def _end(self, state: RunState) -> None:
        if self._tracked.has_begun:
            with suppress(NbmlopsError):  # what went wrong first is what the caller must hear of
                tracker, facts = self._tracked.started()
                tracker.end_run(facts.run_id, state)

    def _close(self, record: SweepRecord) -> SweepOutcome:
        """Returns the outcome with the best point's run, judged and registered, if nothing stands against it."""
        failed = sum(point.status is PointStatus.FAILED for point in record.points)
        if failed:
            points = "1 point" if failed == 1 else f"{failed} points"
            note = f"{points} of {len(record.points)} failed, so nothing is judged; run the sweep again when mended"
            return SweepOutcome(record, notes=(note,))
        if record.best is None:
            metric = record.objective.metric
            note = f"no point logged a number as {metric!r}, so none is the best; add `%mlops metric {metric}`"
            return SweepOutcome(record, notes=(note,))
        best = record.points[record.best]
        request = replace(self._request, values={**self._plan.fixed, **best.parameters}, closing=self._closing)
        winner = run(request, self._tell)
        ended = winner.record.status is RunStatus.INTERRUPTED
        return SweepOutcome(record, winner, stopped=winner if ended else None)
