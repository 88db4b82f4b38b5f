"""`ModelRegistry` over MLflow's: aliases, version tags, models in skops' format with signature, schema and profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbmlops.core.diagnostics import Json
from nbmlops.gate.verdict import Verdict, verdict_digest, waived_text
from nbmlops.registry.baseline import metrics_to_tag
from nbmlops.registry.model_format import trusted_types
from nbmlops.registry.read_model import read_model
from nbmlops.registry.registry import LEASE_PREFIX, METRICS, MODEL_DIGEST, Candidate, ModelVersion, NameEntry
from nbmlops.registry.write_model import DOCUMENTS, PROFILE_FILE, read_profile, write_model
from nbmlops.tracking.keys import check_key, quoted
from nbmlops.tracking.lineage import RUN_ID, VERDICT_BASELINE, lineage_tags, verdict_tags
from nbmlops.tracking.mlflow_errors import named_errors
from nbmlops.tracking.redacted import redact_name, redact_tags
from nbmlops.tracking.redaction import process_redactor
from nbmlops.tracking.uri import masked

_MODULES = ("pandas", "mlflow.sklearn", "skops.io")
_MODEL = "model"
_THERE, _GONE = "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"
_WAIT_SECONDS = 60
_PAGE = 1000
_MOST_IDS = 100


class MlflowRegistry:
    """The registry of one store. Nothing is opened, and MLflow is not imported, before the first call.

    Args:
        uri: The store's address; a relative SQLite path counts from `root`.
        root: The project's root.
    """

    def __init__(self, uri: str, root: Path) -> None:
        self._uri = uri
        self._root = root
        self._opened: Any = None

    @property
    def uri(self) -> str:
        """Where the registry is, without user name and password."""
        return masked(self._uri)

    @property
    def modules(self) -> tuple[str, ...]:
        """What `add` imports and takes long to import."""
        return _MODULES

    @property
    def _client(self) -> Any:
        if self._opened is None:
            # It loads what speaks to servers; a run that executes nothing opens no store.
            from nbmlops.tracking.mlflow_client import open_client  # noqa: PLC0415  # as said above

            self._opened, self._uri = open_client(self._uri, self._root)
        return self._opened

    def names(self) -> tuple[str, ...]:
        """Returns the names of all registered models, sorted.

        Raises:
            EnvironmentFault: the registry cannot be used.
        """
        found: list[str] = []
        token: str | None = None
        while True:
            with named_errors(self._uri):
                page = self._client.search_registered_models(max_results=_PAGE, page_token=token)
            found += [model.name for model in page if not model.name.startswith(LEASE_PREFIX)]
            token = page.token
            if not token:
                return tuple(sorted(found))

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        """Returns the versions of a model, newest first; () when there is no such model.

        Raises:
            EnvironmentFault: the registry cannot be used.
        """
        entry = self.entry(name)
        if entry is None:
            return ()
        found = self._search(f"name={quoted(name)}")
        return tuple(_version(version, entry.aliases) for version in found)

    def of_runs(self, run_ids: Sequence[str]) -> tuple[ModelVersion, ...]:
        """Returns the versions of any model that one of these runs made, the newest first.

        Raises:
            EnvironmentFault: the registry cannot be used.
        """
        found: list[Any] = []
        for first in range(0, len(run_ids), _MOST_IDS):
            ids = ", ".join(map(quoted, run_ids[first : first + _MOST_IDS]))
            found += self._search(f"run_id IN ({ids})")
        entries = {name: self.entry(name) or NameEntry(name) for name in {version.name for version in found}}
        return tuple(_version(version, entries[version.name].aliases) for version in sorted(found, key=_newest_first))

    def _search(self, condition: str) -> list[Any]:
        """Returns MLflow's versions of which the condition holds, newest first."""
        found: list[Any] = []
        token: str | None = None
        while True:
            with named_errors(self._uri):
                page = self._client.search_model_versions(condition, max_results=_PAGE, page_token=token)
            found += page
            token = page.token
            if not token:
                break
        found.sort(key=lambda version: int(version.version), reverse=True)
        return found

    def aliased(self, name: str, alias: str) -> ModelVersion | None:
        """Returns the version that an alias points at, or None.

        Raises:
            EnvironmentFault: the registry cannot be used.
        """
        entry = self.entry(name)
        if entry is None or alias not in entry.aliases:
            return None
        with named_errors(self._uri):
            return _version(self._client.get_model_version(name, entry.aliases[alias]), entry.aliases)

    def add(self, candidate: Candidate, verdict: Verdict) -> ModelVersion:
        """Returns a new version without aliases; see `ModelRegistry`.

        Raises:
            UsageError: the model is of a kind that cannot be stored safely, or a name is one that MLflow refuses.
            EnvironmentFault: the registry cannot be used.
        """
        types = trusted_types(candidate.model)
        tags = _version_tags(candidate, verdict)
        logged = self._log_model(candidate, verdict, types)
        with named_errors(self._uri):
            self.make_entry(candidate.model_name, {})
            version = self._client.create_model_version(
                candidate.model_name,
                self._source(logged),
                run_id=candidate.run_id,
                tags=tags,
                description=process_redactor().text(candidate.description, "the description") or None,
                await_creation_for=_WAIT_SECONDS,
                model_id=logged.model_id,
            )
        return _version(version, {}, tags)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Lets the alias point at this version, and at no other.

        Raises:
            UsageError: there is no such version.
            EnvironmentFault: the registry cannot be used.
        """
        with named_errors(self._uri):
            self._client.set_registered_model_alias(name, alias, version)

    def remove_alias(self, name: str, alias: str) -> None:
        """Takes the alias away from whatever version has it.

        Raises:
            EnvironmentFault: the registry cannot be used.
        """
        with named_errors(self._uri):
            self._client.delete_registered_model_alias(name, alias)

    def set_tags(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Adds tags to the version.

        Raises:
            UsageError: there is no such version.
            EnvironmentFault: the registry cannot be used.
        """
        with named_errors(self._uri):
            for tag, value in tags.items():
                self._client.set_model_version_tag(name, version, tag, value)

    def entry(self, name: str) -> NameEntry | None:
        """Returns what is kept with a name, or None where there is no such name.

        Raises:
            EnvironmentFault: the registry cannot be used.
        """
        found: list[Any] = []
        with named_errors(self._uri):
            if _is_refused(_GONE, lambda: found.append(self._client.get_registered_model(name))):
                return None
        (model,) = found
        aliases = {alias: str(version) for alias, version in model.aliases.items()}
        return NameEntry(model.name, dict(model.tags), aliases)

    def make_entry(self, name: str, tags: Mapping[str, str]) -> bool:
        """Returns whether the name was made by this call.

        Raises:
            UsageError: no model can have this name.
            EnvironmentFault: the registry cannot be used.
        """
        with named_errors(self._uri):
            return not _is_refused(_THERE, lambda: self._client.create_registered_model(name, tags=dict(tags)))

    def tag_entry(self, name: str, tags: Mapping[str, str]) -> None:
        """Adds tags to the name, replacing those of the same name.

        Raises:
            UsageError: there is no such name.
            EnvironmentFault: the registry cannot be used.
        """
        with named_errors(self._uri):
            for tag, value in tags.items():
                self._client.set_registered_model_tag(name, tag, value)

    def drop_entry(self, name: str) -> None:
        """Removes a name without versions; one that is gone is no fault.

        Raises:
            EnvironmentFault: the registry cannot be used.
        """
        with named_errors(self._uri):
            _is_refused(_GONE, lambda: self._client.delete_registered_model(name))

    def has_model(self, version: ModelVersion) -> bool:
        """Returns whether the stored model of a version is still there.

        Raises:
            UsageError: there is no such version.
            EnvironmentFault: the registry cannot be used.
        """
        from mlflow.artifacts import list_artifacts

        with named_errors(self._uri):
            address = self._client.get_model_version_download_uri(version.name, version.version)
            return any(
                found.path.rpartition("/")[2] == "MLmodel" for found in list_artifacts(address, tracking_uri=self._uri)
            )

    def model(self, version: ModelVersion) -> object:
        """Returns the stored model of a version.

        Raises:
            UsageError: there is no such version, or its model holds what we do not trust.
            EnvironmentFault: the registry cannot be used, or the model is gone or damaged.
        """
        from mlflow.artifacts import download_artifacts

        with TemporaryDirectory(prefix="nbmlops-model-") as folder:
            with named_errors(self._uri):
                address = self._client.get_model_version_download_uri(version.name, version.version)
                path = download_artifacts(address, dst_path=folder, tracking_uri=self._uri)
            return read_model(Path(path))

    def profile(self, version: ModelVersion) -> Mapping[str, Json]:
        """Returns the profile of the features that a version was trained on; {} where none was stored.

        Raises:
            UsageError: there is no such version.
            EnvironmentFault: the registry cannot be used.
        """
        from mlflow.artifacts import download_artifacts, list_artifacts

        with named_errors(self._uri), TemporaryDirectory(prefix="nbmlops-profile-") as folder:
            address = f"{self._client.get_model_version_download_uri(version.name, version.version)}/{DOCUMENTS}"
            found = [one.path.rpartition("/")[2] for one in list_artifacts(address, tracking_uri=self._uri)]
            if PROFILE_FILE not in found:
                return {}
            path = download_artifacts(f"{address}/{PROFILE_FILE}", dst_path=folder, tracking_uri=self._uri)
            return read_profile(Path(path))

    def give_up(self, run_id: str) -> None:
        """Marks as failed the models that a run has stored, of which none became a version.

        Raises:
            EnvironmentFault: the registry cannot be used.
        """
        with named_errors(self._uri):
            experiment = self._client.get_run(run_id).info.experiment_id
            found = self._client.search_logged_models([experiment], f"source_run_id = {quoted(run_id)}")
            for model in found:
                if model.name == _MODEL and model.status != "FAILED":
                    self._client.finalize_logged_model(model.model_id, "FAILED")

    def _log_model(self, candidate: Candidate, verdict: Verdict, types: tuple[str, ...]) -> Any:
        from mlflow.entities import LoggedModelOutput

        with TemporaryDirectory(prefix="nbmlops-model-") as folder, named_errors(self._uri):
            experiment = self._client.get_run(candidate.run_id).info.experiment_id
            logged = self._client.create_logged_model(experiment, _MODEL, candidate.run_id, model_type="sklearn")
            try:
                path = Path(folder) / "model"
                write_model(candidate, verdict, path, types, logged.model_id)
                self._client.log_model_artifacts(logged.model_id, str(path))
            except BaseException:
                self._client.finalize_logged_model(logged.model_id, "FAILED")
                raise
            self._client.finalize_logged_model(logged.model_id, "READY")
            self._client.log_outputs(candidate.run_id, [LoggedModelOutput(logged.model_id, 0)])
            return logged

    def _source(self, logged: Any) -> str:
        # MLflow's SQL registry looks "models:/ID" up in the store of its global state, not in its own; a server has
        # only one, and takes no other source.
        is_server = self._uri.startswith(("http:", "https:", "databricks"))
        return f"models:/{logged.model_id}" if is_server else str(logged.artifact_location)


def _is_refused(code: str, call: Callable[[], object]) -> bool:
    # Whether MLflow refuses the call with this code; any other error is raised.
    from mlflow.exceptions import MlflowException

    try:
        call()
    except MlflowException as error:
        if error.error_code != code:
            raise
        return True
    return False


def _version_tags(candidate: Candidate, verdict: Verdict) -> dict[str, str]:
    tags = {
        **lineage_tags(candidate.lineage),
        **verdict_tags(
            passed=verdict.passed,
            digest=verdict_digest(verdict),
            summary=verdict.summary(),
            waived=waived_text(verdict),
        ),
        VERDICT_BASELINE: verdict.baseline,
        RUN_ID: candidate.run_id,
        MODEL_DIGEST: candidate.model_digest,
    }
    redactor = process_redactor()
    # Names of data, files and metrics are the user's; numbers are no text.
    redacted = {redact_name(name, redactor, "a tag"): text for name, text in redact_tags(tags, redactor).items()}
    metrics = {redact_name(name, redactor, "a metric"): value for name, value in candidate.metrics.items()}
    redacted[METRICS] = metrics_to_tag(metrics)
    return {check_key("tag", name): value for name, value in redacted.items()}


def _newest_first(version: Any) -> tuple[int, str, int]:
    return -(version.creation_timestamp or 0), version.name, -int(version.version)


def _version(version: Any, aliases: Mapping[str, str], tags: Mapping[str, str] | None = None) -> ModelVersion:
    number = str(version.version)
    return ModelVersion(
        name=version.name,
        version=number,
        run_id=version.run_id or "",
        aliases=tuple(sorted(alias for alias, target in aliases.items() if target == number)),
        tags=dict(version.tags if tags is None else tags),
        created=version.creation_timestamp or 0,
    )
