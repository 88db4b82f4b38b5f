"""What the rest of nbmlops asks of a model registry, as a Protocol with records. The real one: `mlflow_registry`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.gate.verdict import Verdict
from nbmlops.pipeline.run_record import Lineage, ModelVersionRef

CHAMPION = "champion"
CHALLENGER = "challenger"
LEASE_PREFIX = "nbmlops.lease."
STAGE = "nbmlops.stage"
ARCHIVED = "archived"
SUPERSEDED = "superseded"
MODEL_DIGEST = "nbmlops.model_digest"
METRICS = "nbmlops.metrics"
PROMOTED_BY = "nbmlops.promoted_by"
PROMOTED_AT = "nbmlops.promoted_at"
PROMOTED_WHY = "nbmlops.promoted_why"
FORMER_CHAMPION = "nbmlops.former_champion"
MLFLOW_STAGES: Mapping[str, str] = {CHAMPION: "Production", CHALLENGER: "Staging", ARCHIVED: "Archived"}
"""What MLflow's stages called what is an alias, or the end of one, now."""


def staged(stage: str) -> str:
    """Returns a stage under both of its names: "champion (Production)"."""
    other = MLFLOW_STAGES.get(stage)
    return f"{stage} ({other})" if other and other.lower() != stage else stage


class Candidate(Struct, frozen=True):
    """A model that may become a version.

    Attributes:
        model_name: Name in the registry.
        run_id: The run that made it.
        model: The fitted model.
        model_digest: Fingerprint of the model's content: the same run and digest are the same version.
        features: The frame that it was trained on; the signature is inferred from its first rows.
        lineage: Where it comes from.
        metrics: What the run logged, kept with the version as the baseline of later runs.
        schema: Schema of the features, plain JSON.
        profile: Profile of the features, plain JSON.
        pip_requirements: Pinned; () pins what the model's own types come from.
        description: For people who look at the version.
    """

    model_name: str
    run_id: str
    model: object
    model_digest: str
    features: object
    lineage: Lineage
    metrics: Mapping[str, float] = field(default_factory=dict)
    schema: Mapping[str, Json] = field(default_factory=dict)
    profile: Mapping[str, Json] = field(default_factory=dict)
    pip_requirements: tuple[str, ...] = ()
    description: str = ""


class ModelVersion(Struct, frozen=True):
    """A registered version as the registry has it now; aliases sorted, `created` in milliseconds since 1970."""

    name: str
    version: str
    run_id: str = ""
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    created: int = 0

    @property
    def ref(self) -> ModelVersionRef:
        """The version as the run document names it."""
        return ModelVersionRef(self.name, self.version, self.aliases)


class NameEntry(Struct, frozen=True):
    """What a registry keeps with a name itself, which exists once; `aliases` tells the version that each one is at."""

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)


class ModelRegistry(Protocol):
    """A model registry. Every method may raise EnvironmentFault: it cannot be reached or used."""

    @property
    def modules(self) -> tuple[str, ...]:
        """What `add` imports and takes long to import."""

    def names(self) -> tuple[str, ...]:
        """Returns the names of all registered models, sorted; without those that stand for leases."""

    def entry(self, name: str) -> NameEntry | None:
        """Returns what is kept with a name, or None where there is no such name."""

    def make_entry(self, name: str, tags: Mapping[str, str]) -> bool:
        """Returns whether the name was made by this call: of several at once, one gets True."""

    def tag_entry(self, name: str, tags: Mapping[str, str]) -> None:
        """Adds tags to the name, replacing those of the same name."""

    def drop_entry(self, name: str) -> None:
        """Removes a name without versions; one that is gone is no fault."""

    def has_model(self, version: ModelVersion) -> bool:
        """Returns whether the stored model of a version is still there."""

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        """Returns the versions of a model, newest first; () when there is no such model."""

    def of_runs(self, run_ids: Sequence[str]) -> tuple[ModelVersion, ...]:
        """Returns the versions of any model that one of these runs made, the newest first."""

    def aliased(self, name: str, alias: str) -> ModelVersion | None:
        """Returns the version that an alias points at, or None."""

    def add(self, candidate: Candidate, verdict: Verdict) -> ModelVersion:
        """Returns a new version without aliases: model, signature, schema, profile, verdict and lineage stored with it.

        Raises UsageError where the model is of a kind that cannot be stored safely.
        """

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Lets the alias point at this version, and at no other."""

    def remove_alias(self, name: str, alias: str) -> None:
        """Takes the alias away from whatever version has it."""

    def set_tags(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Adds tags to the version, replacing those of the same name."""

    def model(self, version: ModelVersion) -> object:
        """Returns the stored model of a version. Raises UsageError where it holds what we do not trust."""

    def profile(self, version: ModelVersion) -> Mapping[str, Json]:
        """Returns the profile of the features that a version was trained on; {} where none was stored."""

    def give_up(self, run_id: str) -> None:
        """Marks as failed the models that a run has stored, of which none became a version."""
