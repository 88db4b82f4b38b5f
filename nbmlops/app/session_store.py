"""One notebook run in the tracking store and the registry: the real `SessionStore`."""

from __future__ import annotations

from collections.abc import Mapping

from nbmlops.app.closing import Registration, judge, register_model
from nbmlops.app.kernel_notebook import UNKNOWN_HINT
from nbmlops.app.session import RunTitle
from nbmlops.app.session_place import SessionOptions, SessionPlace
from nbmlops.app.wiring import Stores
from nbmlops.core.errors import UsageError
from nbmlops.gate.baseline import Baseline
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.verdict import Verdict
from nbmlops.pipeline.run_record import Lineage, ModelVersionRef, StepLog
from nbmlops.registry.baseline import read_baseline
from nbmlops.tracking.environment import environment_facts
from nbmlops.tracking.lineage import PIPELINE, environment_tags, lineage_tags
from nbmlops.tracking.tracker import RunStart, RunState

_DISTRIBUTIONS = ("mlflow", "nbmlops", "numpy", "pandas", "scikit-learn")
"""Whose versions count for a notebook's environment; a pipeline has a lock, a notebook has none."""


def open_store(place: SessionPlace, options: SessionOptions) -> tuple[MlflowSessionStore, RunTitle]:
    """Returns a new run in the tracking store; runs of the experiment whose processes are gone are marked killed.

    Raises:
        UsageError: the experiment cannot be used.
        EnvironmentFault: the store cannot be used.
    """
    stores = Stores(place.root, place.tracking_uri)
    experiment = options.experiment or place.experiment
    stores.tracker.mark_killed(experiment)
    tags = {
        PIPELINE: place.name,
        **lineage_tags(place.lineage("")),
        **environment_tags(environment_facts(_DISTRIBUTIONS)),
    }
    run = stores.tracker.start_run(RunStart(experiment, options.name or place.name, tags, place.notebook))
    stores.tracker.set_tags(run.run_id, lineage_tags(place.lineage(run.run_id)))
    return MlflowSessionStore(place, stores, run.run_id), RunTitle(run.run_id, run.name, run.experiment)


class MlflowSessionStore:
    """The tracking store and registry as one run sees them; see `SessionStore`."""

    def __init__(self, place: SessionPlace, stores: Stores, run_id: str) -> None:
        self._place = place
        self._stores = stores
        self._run_id = run_id
        self._baseline: Baseline | None = None

    def send(self, batch: StepLog) -> None:
        """Adds a batch to the run; the inputs stand in its tags as well, with the whole fingerprint."""
        self._stores.tracker.log_step(self._run_id, batch)
        if batch.data:
            digests = {record.name: record.digest for record in batch.data}
            self._stores.tracker.set_tags(self._run_id, lineage_tags(Lineage(data=digests)))

    def move(self, place: SessionPlace) -> None:
        """Tells the run which notebook it belongs to."""
        self._place = place
        self._baseline = None
        tags = {PIPELINE: place.name, **lineage_tags(place.lineage(self._run_id)), "mlflow.source.name": place.notebook}
        self._stores.tracker.set_tags(self._run_id, tags)

    def judge(self, metrics: Mapping[str, float]) -> Verdict:
        """Returns the verdict on these metrics, after storing it with the run.

        Raises:
            UsageError: the notebook is not known, and so neither its rules nor its champion.
            EnvironmentFault: the store cannot be used.
        """
        place = self._place
        if not place.name:
            raise UsageError("the notebook is not known, and so neither are its rules nor its champion", UNKNOWN_HINT)
        self._baseline = None
        return judge(self._stores, self._run_id, place.model_name(None), metrics, place.config.policy)

    def preview(self, metrics: Mapping[str, float]) -> Verdict | None:
        """Returns what `judge` would say, against the champion as it was when this was asked first."""
        place = self._place
        if not (place.name and place.config.policy.rules):
            return None
        if self._baseline is None:
            self._baseline = read_baseline(self._stores.registry, self._stores.tracker, place.model_name(None))
        return evaluate(metrics, self._baseline, place.config.policy)

    def register(self, verdict: Verdict, registration: Registration) -> ModelVersionRef:
        """Returns the version that holds the model.

        Raises:
            GateRejected: the verdict is not a passing one.
            UsageError: the model cannot be stored safely.
            EnvironmentFault: the registry cannot be used.
        """
        promote = self._place.config.promote_on_pass
        return register_model(self._stores, verdict, registration, promote_on_pass=promote).ref

    def end(self, *, failed: bool) -> None:
        """Ends the run."""
        self._stores.tracker.end_run(self._run_id, RunState.FAILED if failed else RunState.FINISHED)
