"""What the tracking calls of a step record."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.run_record import (
    ArtifactRecord,
    BehaviourRecord,
    CheckRecord,
    DataRecord,
    FitRecord,
    MetricValue,
    PredictionsRecord,
    StepLog,
)


class StepRecorder:
    """Collects what the tracking calls of a step record.

    Args:
        root: The project's root, where schemas are.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._params: dict[str, Json] = {}
        self._metrics: list[MetricValue] = []
        self._data: list[DataRecord] = []
        self._checks: list[CheckRecord] = []
        self._predictions: dict[str, PredictionsRecord] = {}
        self._tests: dict[str, BehaviourRecord] = {}
        self._artifacts: dict[str, ArtifactRecord] = {}
        self._fits: list[FitRecord] = []

    def param(self, name: str, value: Json) -> None:
        """Records a parameter.

        Raises:
            UsageError: this step recorded another value under the name.
        """
        if name in self._params and self._params[name] != value:
            raise UsageError(
                f"the parameter {name!r} was logged as {self._params[name]!r} and now as {value!r}",
                "log each parameter once, or give the second one another name",
            )
        self._params[name] = value

    def metric(self, metric: MetricValue) -> None:
        """Records a metric."""
        self._metrics.append(metric)

    def data(self, record: DataRecord) -> None:
        """Records data that was fingerprinted."""
        self._data.append(record)

    def check(self, record: CheckRecord) -> None:
        """Records a schema check."""
        self._checks.append(record)

    def predictions(self, record: PredictionsRecord) -> None:
        """Records predictions; those logged last under a name count."""
        self._predictions[record.name] = record

    def tests(self, records: Iterable[BehaviourRecord]) -> None:
        """Records behaviour tests; of one that runs several times in a step, an outcome that is no pass counts."""
        for record in records:
            known = self._tests.get(record.name)
            if known is None or known.passed:
                self._tests[record.name] = record

    def artifact(self, record: ArtifactRecord) -> None:
        """Records a figure; the one logged last under a name counts."""
        self._artifacts[record.name] = record

    def fit(self, record: FitRecord) -> None:
        """Records what autologging told of a training."""
        self._fits.append(record)

    def log(self) -> StepLog:
        """Returns everything recorded so far."""
        return StepLog(
            params=dict(self._params),
            metrics=tuple(self._metrics),
            data=tuple(self._data),
            checks=tuple(self._checks),
            predictions=tuple(self._predictions.values()),
            tests=tuple(self._tests.values()),
            artifacts=tuple(self._artifacts.values()),
            fits=tuple(self._fits),
        )
