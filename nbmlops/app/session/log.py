"""What a notebook's run has logged: everything so far, and what is still to be sent to the tracking store. Pure."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from nbmlops.app.logged import plain_value
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import UsageError
from nbmlops.core.known_secrets import MARK
from nbmlops.core.records import (
    ArtifactRecord,
    BehaviourOutcome,
    BehaviourRecord,
    CheckRecord,
    DataRecord,
    PredictionsRecord,
)
from nbmlops.gate.numerals import as_number
from nbmlops.pipeline.fits import FitNames
from nbmlops.pipeline.run_record import FitRecord, MetricValue, StepLog, counting_values
from nbmlops.tracking.behaviour import behaviours_in
from nbmlops.tracking.tracker import RunFacts

_IN_ARTIFACT = re.compile(r"\d+ characters, sha256 ")
"""How a store has a text that was too long for it."""
NEW_RUN = "end the run with `%mlops track --stop` and run the notebook from its first cell"


class Change(Struct, frozen=True):
    """A notebook parameter that got another value after its run had logged one."""

    name: str
    logged: Json
    now: Json

    def __str__(self) -> str:
        return f"{self.name} is {self.now!r} now, but this run logged {self.logged!r}"


class SessionLog:
    """The log of one run. `record_*` add to it, `batch` takes out what is to be sent.

    Args:
        parameters: Names that the notebook's parameters cell binds.
        earlier: What another kernel has logged in this run; the store keeps parameters as texts.
    """

    def __init__(self, parameters: tuple[str, ...] = (), earlier: RunFacts | None = None) -> None:
        self.names = parameters
        self._seen: dict[str, Json] = {}
        self._params: dict[str, Json] = {}
        self._metrics: list[MetricValue] = []
        self._data: dict[str, DataRecord] = {}
        self._checks: dict[tuple[str, str], CheckRecord] = {}
        self._predictions: dict[str, PredictionsRecord] = {}
        self._tests: dict[str, BehaviourRecord] = {}
        self._broken_here: set[str] = set()
        self._artifacts: dict[str, ArtifactRecord] = {}
        self._pending = StepLog()
        self._lock = threading.RLock()
        """Cells may log, and train, on several threads."""
        self._earlier_tests = frozenset(one.name for one in behaviours_in(earlier.tags)) if earlier else frozenset()
        self._earlier = dict(earlier.params) if earlier is not None else {}
        self._earlier_metrics = dict(earlier.metrics) if earlier is not None else {}
        self._fits = FitNames(self._earlier)
        self.is_paused = False
        self.ignored = 0

    def _ignores(self) -> bool:
        """Returns whether what is logged now is left out, because the run is paused; it is counted."""
        self.ignored += self.is_paused
        return self.is_paused

    def read_parameters(self, namespace: Mapping[str, object]) -> None:
        """Takes over the values that the notebook's parameters have now; those not bound or not plain are left."""
        for name in self.names:
            if name in namespace:
                try:
                    self._seen[name] = plain_value(name, namespace[name])
                except UsageError:  # the compiler tells that a parameter is no literal; a hook must not
                    continue

    def record_param(self, name: str, value: Json) -> None:
        """Adds a parameter.

        Raises:
            UsageError: the run has another value for it; a run keeps its parameters.
        """
        if self._ignores():
            return
        self._recall(name, value)
        if name in self._params and not _same(self._params[name], value):
            raise UsageError(f"{Change(name, self._params[name], value)}", NEW_RUN)
        if name not in self._params:
            self._params[name] = value
            self._add(StepLog(params={name: value}))

    def record_metric(self, metric: MetricValue) -> None:
        """Adds a metric; the last value of the greatest step is the one that counts."""
        if self._ignores():
            return
        self._metrics.append(metric)
        self._add(StepLog(metrics=(metric,)))

    def named_metrics(self, metrics: Mapping[str, str], namespace: Mapping[str, object]) -> list[MetricValue]:
        """Returns the metrics whose values differ from those logged.

        Args:
            metrics: Metric -> the variable whose value it is; one that holds no number is none.
            namespace: The variables.
        """
        logged, now = self.metrics, {name: as_number(namespace.get(variable)) for name, variable in metrics.items()}
        return [MetricValue(n, v) for n, v in now.items() if v is not None and repr(logged.get(n)) != repr(v)]

    def record_data(self, record: DataRecord) -> None:
        """Adds an input; the same one again is not sent again."""
        if self._ignores():
            return
        if self._data.get(record.name) != record:
            self._data[record.name] = record
            self._add(StepLog(data=(record,)))

    def record_check(self, record: CheckRecord) -> None:
        """Adds the outcome of a schema check."""
        if self._ignores():
            return
        self._checks[record.data, record.schema] = record
        self._add(StepLog(checks=(record,)))

    def record_predictions(self, record: PredictionsRecord) -> None:
        """Adds predictions on held-out rows; the same ones again are not sent again."""
        if self._ignores():
            return
        if self._predictions.get(record.name) != record:
            self._predictions[record.name] = record
            self._add(StepLog(predictions=(record,)))

    def record_artifact(self, record: ArtifactRecord) -> None:
        """Adds a figure; the same one again is not sent again."""
        if self._ignores():
            return
        if self._artifacts.get(record.name) != record:
            self._artifacts[record.name] = record
            self._add(StepLog(artifacts=(record,)))

    def record_fit(self, fit: FitRecord) -> None:
        """Adds what autologging told of a training, under names of its own."""
        if self._ignores():
            return
        with self._lock:
            told = self._fits.logged(fit, {**self._earlier, **self._params})
            self._params.update(told.params)
            self._metrics += told.metrics
            self._artifacts.update({record.name: record for record in told.artifacts})
            self._add(told)

    def record_tests(self, records: Sequence[BehaviourRecord], *, in_cell: bool = False) -> None:
        """Adds behaviour tests; the same outcome again is not sent again.

        Args:
            records: How they ended.
            in_cell: A cell runs them: of a test that it runs several times an outcome that is no pass counts, as in a
                step.
        """
        if not records or self._ignores():
            return
        records = [record for record in records if record.name not in self._broken_here]
        self._broken_here |= {record.name for record in records if in_cell and not record.passed}
        fresh = tuple(record for record in records if self._tests.get(record.name) != record)
        self._tests |= {record.name: record for record in fresh}
        if fresh:
            self._add(StepLog(tests=fresh))

    def begin_cell(self) -> None:
        """Lets a cell run behaviour tests anew, whatever the cells before it found."""
        self._broken_here.clear()

    def tests_not_run(self, declared: Iterable[str]) -> tuple[BehaviourRecord, ...]:
        """Returns those of the declared behaviour tests that the run knows nothing of."""
        known = {*self._tests, *self._earlier_tests}
        why = "its cell was not run"
        return tuple(BehaviourRecord(name, BehaviourOutcome.NOT_RUN, why) for name in declared if name not in known)

    def _recall(self, name: str, value: Json) -> None:
        """Takes a parameter that an earlier kernel logged for known, with its type, if the value may be the same.

        Raises:
            UsageError: it is another one.
        """
        if name not in self._earlier or name in self._params:
            return
        if not self._may_be(name, value):
            raise UsageError(str(Change(name, self._earlier[name], value)), NEW_RUN)
        self._params[name] = value

    def _add(self, more: StepLog) -> None:
        with self._lock:
            self._pending = _joined(self._pending, more)

    def batch(self, *, last: bool = False) -> StepLog:
        """Returns what is to be sent now, and forgets that it is pending.

        Args:
            last: Send the notebook's parameters even if nothing else was logged.
        """
        with self._lock:
            batch, self._pending = self._pending, StepLog()
        if batch == StepLog() and not last:
            return batch
        fresh = {name: value for name, value in self._seen.items() if name not in {**self._params, **self._earlier}}
        self._params.update(fresh)
        return _joined(StepLog(params=fresh), batch)

    def changes(self) -> tuple[Change, ...]:
        """Returns the notebook's parameters whose values are no longer those of the run."""
        return tuple(
            Change(name, self._params[name], value)
            for name, value in dict(self._seen).items()
            if name in self._params and not _same(self._params[name], value)
        ) + tuple(
            Change(name, self._earlier[name], value)
            for name, value in dict(self._seen).items()
            if name in self._earlier and name not in self._params and not self._may_be(name, value)
        )

    def _may_be(self, name: str, value: Json) -> bool:
        """Returns whether an earlier kernel may have logged this value for a parameter; the store keeps texts."""
        text = self._earlier[name]
        return text in {str(value), MARK} or _IN_ARTIFACT.match(text) is not None

    def check_whole(self) -> None:
        """Checks that the log can be judged.

        Raises:
            UsageError: a parameter changed since the run logged it, or the run is paused.
        """
        if changes := self.changes():
            raise UsageError(f"parameters changed within the run: {'; '.join(map(str, changes))}", NEW_RUN)
        if self.is_paused:
            raise UsageError("the run is paused", "go on with it first: `%mlops track`")

    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know of it: parameters that changed, what is left out."""
        notes = [f"parameter changed within the run: {change}; {NEW_RUN}" for change in self.changes()]
        if self.is_paused:
            notes.append("paused: neither cells nor values are recorded; `%mlops track` goes on")
        if self.ignored:
            values = "1 value was" if self.ignored == 1 else f"{self.ignored} values were"
            notes.append(f"{values} logged while the run was paused, and left out")
        return tuple(notes)

    @property
    def params(self) -> dict[str, Json]:
        """Parameters of the run: the notebook's first, then those that were logged by hand."""
        return {**self._earlier, **self._seen, **self._params}

    @property
    def metrics(self) -> dict[str, float]:
        """The value of each metric that counts."""
        return {**self._earlier_metrics, **counting_values(self._metrics)}

    @property
    def series(self) -> dict[str, tuple[float, ...]]:
        """The values of each metric in the order of their steps."""
        found: dict[str, dict[int, float]] = {}
        for metric in tuple(self._metrics):
            found.setdefault(metric.name, {})[metric.step] = metric.value
        return {name: tuple(values[step] for step in sorted(values)) for name, values in found.items()}

    @property
    def data(self) -> tuple[DataRecord, ...]:
        """The inputs, the last of each name."""
        return tuple(self._data.values())

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Names of the figures and other files."""
        return tuple(self._artifacts)

    @property
    def tests(self) -> tuple[BehaviourRecord, ...]:
        """The behaviour tests, the last outcome of each."""
        return tuple(self._tests.values())

    @property
    def checks(self) -> tuple[CheckRecord, ...]:
        """The schema checks, the last of each kind."""
        return tuple(self._checks.values())


def _same(one: Json, other: Json) -> bool:
    return repr(one) == repr(other)  # by type as well, and NaN is NaN


def _joined(first: StepLog, second: StepLog) -> StepLog:
    return StepLog(
        params={**first.params, **second.params},
        metrics=first.metrics + second.metrics,
        data=first.data + second.data,
        checks=first.checks + second.checks,
        predictions=first.predictions + second.predictions,
        tests=first.tests + second.tests,
        artifacts=first.artifacts + second.artifacts,
    )
