"""Predictions as runs recorded them, and those of a version on the rows of another run: read, never trusted blindly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault, NbmlopsError, UsageError
from nbmlops.core.records import DataRecord
from nbmlops.gate.evidence import NotHad
from nbmlops.registry.registry import ModelRegistry, ModelVersion
from nbmlops.tracking.lineage import PREDICTIONS
from nbmlops.tracking.predictions import predictions_artifact
from nbmlops.tracking.provenance import PROVENANCE_FILE, Provenance, provenance_from_json
from nbmlops.tracking.tracker import RunFacts, Tracker

if TYPE_CHECKING:
    from nbmlops.data.held_out.held_out import HeldOut


class Recorded:
    """Predictions of runs, each read once.

    Args:
        tracker: Where runs are.
        registry: Where models are, which can be asked about rows that they have not seen.
    """

    def __init__(self, tracker: Tracker, registry: ModelRegistry) -> None:
        self._tracker = tracker
        self._registry = registry
        self._runs: dict[str, RunFacts] = {}
        self._known: dict[tuple[str, str], HeldOut | NotHad] = {}
        self._models: dict[str, object] = {}

    def facts(self, run_id: str) -> RunFacts:
        """Returns the run.

        Raises:
            UsageError: there is no such run.
            EnvironmentFault: the store cannot be used.
        """
        if run_id not in self._runs:
            self._runs[run_id] = self._tracker.run_facts(run_id)
        return self._runs[run_id]

    def data(self, run_id: str) -> tuple[DataRecord, ...]:
        """Returns the inputs of a run with their profiles.

        Raises:
            UsageError: there is no such run.
            EnvironmentFault: the store cannot be used.
        """
        return self._tracker.run_data(run_id)

    def profile(self, version: ModelVersion) -> Mapping[str, Json]:
        """Returns the profile of the features that a version was registered with; {} where there is none.

        Raises:
            UsageError: there is no such version.
            EnvironmentFault: the registry cannot be used.
        """
        return self._registry.profile(version)

    def provenance(self, run_id: str) -> Provenance:
        """Returns what a run was made from; an empty record where it told nothing of it.

        Raises:
            UsageError: there is no such run.
            EnvironmentFault: the store cannot be used.
        """
        return provenance_from_json(self._tracker.read_document(run_id, PROVENANCE_FILE)) or Provenance()

    def of_run(self, run_id: str, name: str) -> HeldOut | NotHad:
        """Returns the predictions that a run logged under a name, or why they cannot be had."""
        if (run_id, name) not in self._known:
            self._known[run_id, name] = self._read(run_id, name)
        return self._known[run_id, name]

    def _read(self, run_id: str, name: str) -> HeldOut | NotHad:
        from nbmlops.data.held_out.held_out import from_parquet  # noqa: PLC0415  # loads what reads tables

        try:
            digest = self.facts(run_id).tags.get(f"{PREDICTIONS}{name}", "")
            if not digest:
                return NotHad(f"no predictions {name!r} were logged (%mlops predictions)")
            data = self._tracker.read_artifact(run_id, predictions_artifact(name))
            if digest_bytes(data) != digest:
                return NotHad(f"the predictions {name!r} are not those that were logged: their file was changed")
            return from_parquet(data)
        except EnvironmentFault:
            raise
        except NbmlopsError:  # the message may hold a run id, which a verdict must not
            return NotHad(f"the predictions {name!r} cannot be read")

    def of_version(self, version: ModelVersion, name: str, candidate: HeldOut) -> HeldOut | NotHad:
        """Returns what a version predicts for the candidate's rows, recorded or asked now, or why it cannot be had.

        Args:
            version: The version.
            name: What the predictions were logged as.
            candidate: The candidate's, whose rows count.
        """
        from nbmlops.data.held_out.held_out import CannotPair, paired_places  # noqa: PLC0415  # as above

        found = self.of_run(version.run_id, name) if version.run_id else NotHad("it names no run")
        if not isinstance(found, NotHad):
            try:
                paired_places(candidate, found)
            except CannotPair as difference:
                found = NotHad(str(difference))
            else:
                return found
        label = f"{version.name} version {version.version}"
        if not candidate.features:
            why = "without --features on the predictions line it cannot be asked about these rows either"
            return NotHad(f"{label}: {found.reason}; {why}")
        try:
            return self._asked(version, candidate)
        except NbmlopsError as error:
            return NotHad(f"{label}: {found.reason}; and it cannot be asked about these rows: {error.message}")

    def _asked(self, version: ModelVersion, candidate: HeldOut) -> HeldOut:
        """Returns what the version's model predicts now.

        Raises:
            UsageError: it cannot be loaded, was trained on other columns, or cannot predict.
        """
        import numpy as np

        key = f"{version.name}/{version.version}"
        if key not in self._models:
            self._models[key] = self._registry.model(version)
        model: Any = self._models[key]
        features = candidate.columns[list(candidate.features)]
        wanted = [str(name) for name in getattr(model, "feature_names_in_", candidate.features)]
        missing = [name for name in wanted if name not in features.columns]
        if missing:
            raise UsageError(f"it was trained on another signature, with {', '.join(map(repr, missing[:5]))}")
        try:
            predicted = np.asarray(_predict(model, features[wanted], candidate))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UsageError(f"it cannot predict: {first:.200}") from error
        return replace(candidate, prediction=predicted, facts={})


def _predict(model: Any, features: Any, candidate: HeldOut) -> Any:
    """Returns scores where the candidate has scores, else what the model predicts.

    Raises:
        ValueError: the model knows more than two classes, of which no score is the one.
    """
    if is_score(candidate) and hasattr(model, "predict_proba"):
        scores = model.predict_proba(features)
        if scores.shape[1] != 2:
            raise ValueError(f"it knows {scores.shape[1]} classes")
        return scores[:, 1]
    return model.predict(features)


def is_score(held: HeldOut) -> bool:
    """Returns whether predictions are scores of the positive class, not labels or numbers."""
    if held.threshold is not None:
        return True
    if held.prediction.dtype.kind != "f" or held.truth.dtype.kind not in "biuf":
        return False
    truths, values = set(held.truth[:1000].tolist()), set(held.prediction[:1000].tolist())
    return truths <= {0, 1} and not values <= {0.0, 1.0}
