"""What stands between MLflow and its stores while autologging is on; see `mlflow_autolog`."""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from nbmlops.core.errors import NbmlopsError
from nbmlops.core.records import ArtifactRecord
from nbmlops.pipeline.run_record import FitRecord, MetricValue
from nbmlops.tracking.artifacts import MOST_BYTES
from nbmlops.tracking.fit_names import fit_name
from nbmlops.tracking.redaction import process_redactor

Take = Callable[[FitRecord], None]
Keep = Callable[[str, bytes], ArtifactRecord]

_AUTOLOGGING = "mlflow.autologging"
_PARENT = "mlflow.parentRunId"
_CLASS = "estimator_name"
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_INLINE_MODULE = "matplotlib_inline.backend_inline"
_INLINE = frozenset({"inline", f"module://{_INLINE_MODULE}"})
_MOST_FILES = 50
_MOST_ENDED = 100
_NO_FILES = frozenset({".joblib", ".keras", ".h5", ".pkl", ".pt", ".pth", ".ckpt"})


class _Fit(Struct):
    """A training that goes on."""

    name: str
    info: Any
    folder: Path
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[tuple[str, int], float] = field(default_factory=dict)


class Fits:
    """The trainings that go on, by the ids of the runs that MLflow believes to have started.

    Args:
        take: Called with each one that has ended.
        keep: Keeps a file that it left.
        folder: Where those files are until then.
    """

    def __init__(self, take: Take, keep: Keep, folder: Path) -> None:
        self._take, self._keep, self._folder = take, keep, folder
        self._open: dict[str, _Fit] = {}
        self._ended: dict[str, _Fit] = {}
        self._lock = threading.Lock()

    def __contains__(self, run_id: object) -> bool:
        """Returns whether a run is one of these, also one that has ended a short while ago."""
        return run_id in self._open or run_id in self._ended

    def begin(self, name: str, about: Mapping[str, Any]) -> Any:
        """Returns a run as MLflow has them."""
        from mlflow.entities import LifecycleStage, RunInfo, RunStatus

        ready_to_draw()
        key = uuid.uuid4().hex
        folder = self._folder / key
        folder.mkdir(parents=True, exist_ok=True)
        info = RunInfo(
            run_id=key,
            experiment_id=about["experiment_id"],
            user_id=about["user_id"],
            status=RunStatus.to_string(RunStatus.RUNNING),
            start_time=about["start_time"],
            end_time=None,
            lifecycle_stage=LifecycleStage.ACTIVE,
            artifact_uri=str(folder),
            run_name=about["run_name"] or key,
        )
        self._open[key] = _Fit(name, info, folder)
        return self.run(key)

    def run(self, run_id: str) -> Any:
        """Returns a run that `begin` made, as MLflow has them."""
        from mlflow.entities import Metric, Param, Run, RunData, RunTag

        fit = self._open.get(run_id) or self._ended[run_id]
        last = {name: (value, step) for (name, step), value in sorted(fit.metrics.items())}
        data = RunData(
            [Metric(name, value, fit.info.start_time, step) for name, (value, step) in last.items()],
            [Param(*pair) for pair in fit.params.items()],
            [RunTag(*pair) for pair in fit.tags.items()],
        )
        return Run(fit.info, data)

    def add(self, run_id: str, metrics: Iterable[Any], params: Iterable[Any], tags: Iterable[Any]) -> None:
        """Adds what MLflow logs; may be called on any thread.

        What the user's own lines log to a training that has ended is told at once; they get its id by
        `mlflow.last_active_run()`.
        """
        told = {(metric.key, int(metric.step or 0)): float(metric.value) for metric in metrics}
        given = {param.key: str(param.value) for param in params}
        with self._lock:
            fit = self._open.get(run_id)
            late = self._ended[run_id] if fit is None else None
            for one in filter(None, (fit, late)):
                one.metrics.update(told)
                one.params.update(given)
                one.tags.update({tag.key: str(tag.value) for tag in tags})
        if late is not None and (told or given):
            self._take(self._record(late, told))

    def end(self, run_id: str) -> Any:
        """Returns the run's info, after telling of a training that has ended."""
        with self._lock:
            fit = self._open.pop(run_id, None)
            ended = self._ended[run_id] = fit or self._ended[run_id]
            while len(self._ended) > _MOST_ENDED:
                del self._ended[next(iter(self._ended))]
        if fit is not None or ended.folder.exists():  # the user's own lines may add files later
            try:
                self._take(self._record(ended, fit.metrics if fit is not None else {}))
            finally:
                shutil.rmtree(ended.folder, ignore_errors=True)
        return ended.info

    def _record(self, fit: _Fit, told: Mapping[tuple[str, int], float]) -> FitRecord:
        with self._lock:
            metrics, params, class_name = sorted(told.items()), sorted(fit.params.items()), fit.tags.get(_CLASS, "")
        # First, so that what a parameter's name calls a secret is known when files are kept that show it.
        title, redact = fit.name or class_name or fit.tags.get(_AUTOLOGGING, "model"), process_redactor().value
        shown = {
            name: str(redact(name, _ADDRESS.sub("", text), f"parameter {title}/{name}"))
            for name, text in ([(_CLASS, class_name)] if class_name else []) + params
        }
        return FitRecord(
            name=title,
            params=shown,
            metrics=tuple(MetricValue(name, value, step) for (name, step), value in metrics),
            artifacts=tuple(self._files(fit.folder)),
        )

    def _files(self, folder: Path) -> Iterator[ArtifactRecord]:
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in _NO_FILES)
        for path in files[:_MOST_FILES]:
            if path.stat().st_size <= MOST_BYTES:
                with suppress(NbmlopsError, OSError):  # the disk is full: the figure is missing, training goes on
                    yield self._keep(path.relative_to(folder).as_posix(), path.read_bytes())


def ready_to_draw() -> None:
    """Has matplotlib choose its backend where that would be the one that shows figures below cells.

    MLflow draws within settings that it takes back. Were the backend chosen there, so would be that figures are shown,
    and no cell would show one any more.
    """
    if os.environ.get("MPLBACKEND", "") in _INLINE and _INLINE_MODULE not in sys.modules and find_spec("matplotlib"):
        pyplot = import_module("matplotlib.pyplot")
        pyplot.switch_backend(pyplot.rcParams["backend"])


class RoutedStore:
    """A tracking store of MLflow's that takes the runs of its autologging itself, and hands on everything else.

    Args:
        fits: The trainings.
        opener: Opens the store itself.
    """

    def __init__(self, fits: Fits, opener: Callable[[], Any]) -> None:
        self._fits = fits
        self._opener = opener
        self._store: Any = None

    def __getattr__(self, name: str) -> Any:
        """Returns what the store itself has of that name; it is opened for that.

        Raises:
            AttributeError: it has nothing of that name.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._real, name)

    @property
    def _real(self) -> Any:
        if self._store is None:
            self._store = self._opener()
        return self._store

    def create_run(self, experiment_id: Any, user_id: Any, start_time: Any, tags: Any, run_name: Any) -> Any:
        """Returns a new run: one of ours if autologging starts it by itself, not below a run of the user's."""
        names = {tag.key: tag.value for tag in tags or ()}
        if _AUTOLOGGING not in names or (names.get(_PARENT) and names[_PARENT] not in self._fits):
            return self._real.create_run(experiment_id, user_id, start_time, tags, run_name)
        about = {"experiment_id": experiment_id, "user_id": user_id, "start_time": start_time, "run_name": run_name}
        run = self._fits.begin(fit_name(sys._getframe()), about)  # noqa: SLF001 - the one way to know who trains
        self._fits.add(run.info.run_id, (), (), tags)
        return self._fits.run(run.info.run_id)

    def get_run(self, run_id: str) -> Any:
        """Returns a run."""
        return self._fits.run(run_id) if run_id in self._fits else self._real.get_run(run_id)

    def update_run_info(self, run_id: str, run_status: Any, end_time: Any, run_name: Any) -> Any:
        """Returns the run's info after a change; the one of ours is its end."""
        if run_id in self._fits:
            return self._fits.end(run_id)
        return self._real.update_run_info(run_id, run_status, end_time, run_name)

    def log_batch(self, run_id: str, metrics: Any = (), params: Any = (), tags: Any = ()) -> Any:
        """Logs values."""
        if run_id in self._fits:
            return self._fits.add(run_id, metrics, params, tags)
        return self._real.log_batch(run_id, metrics, params, tags)

    def log_batch_async(self, run_id: str, metrics: Any = (), params: Any = (), tags: Any = ()) -> Any:
        """Logs values, for the store itself later."""
        if run_id not in self._fits:
            return self._real.log_batch_async(run_id, metrics, params, tags)
        from mlflow.utils.async_logging.run_operations import RunOperations

        self._fits.add(run_id, metrics, params, tags)
        return RunOperations([])

    def log_metric(self, run_id: str, metric: Any) -> Any:
        """Logs a metric."""
        return self.log_batch(run_id, [metric]) if run_id in self._fits else self._real.log_metric(run_id, metric)

    def log_metric_async(self, run_id: str, metric: Any) -> Any:
        """Logs a metric, for the store itself later."""
        own = run_id in self._fits
        return self.log_batch_async(run_id, [metric]) if own else self._real.log_metric_async(run_id, metric)

    def log_param(self, run_id: str, param: Any) -> Any:
        """Logs a parameter."""
        return self.log_batch(run_id, (), [param]) if run_id in self._fits else self._real.log_param(run_id, param)

    def log_param_async(self, run_id: str, param: Any) -> Any:
        """Logs a parameter, for the store itself later."""
        own = run_id in self._fits
        return self.log_batch_async(run_id, (), [param]) if own else self._real.log_param_async(run_id, param)

    def set_tag(self, run_id: str, tag: Any) -> Any:
        """Sets a tag."""
        return self.log_batch(run_id, (), (), [tag]) if run_id in self._fits else self._real.set_tag(run_id, tag)

    def set_tag_async(self, run_id: str, tag: Any) -> Any:
        """Sets a tag, for the store itself later."""
        own = run_id in self._fits
        return self.log_batch_async(run_id, (), (), [tag]) if own else self._real.set_tag_async(run_id, tag)

    def log_inputs(self, run_id: str, *arguments: Any, **named: Any) -> Any:
        """Logs inputs; those of ours are fingerprints of some rows, which are left out."""
        return None if run_id in self._fits else self._real.log_inputs(run_id, *arguments, **named)

    def log_outputs(self, run_id: str, *arguments: Any, **named: Any) -> Any:
        """Logs models as outputs; those of ours are left out, since registering keeps the model."""
        return None if run_id in self._fits else self._real.log_outputs(run_id, *arguments, **named)

    def shut_down_async_logging(self) -> None:
        """Ends what the store does later, if it was opened."""
        if self._store is not None:
            self._store.shut_down_async_logging()

    def flush_async_logging(self) -> None:
        """Waits for what the store does later, if it was opened."""
        if self._store is not None:
            self._store.flush_async_logging()

    def end_async_logging(self) -> None:
        """Stops taking what is to be done later, if the store was opened."""
        if self._store is not None:
            self._store.end_async_logging()
