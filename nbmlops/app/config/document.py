"""The shape of `nbmlops.toml`: a frozen record for each table. `toml_tables` reads them, `config` lowers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field


class TrackingTable(Struct, frozen=True):
    """`[tracking]`: store and experiment, what of the notebook is kept with its run, and whether autologging is on."""

    uri: str | None = None
    experiment: str | None = None
    notebook: Literal["whole", "stripped", "no"] | None = None
    autolog: bool | None = None
    figures: bool | None = None


class RedactionTable(Struct, frozen=True):
    """`[redaction]`: what looks like a secret and is none; further variables of the environment that hold secrets."""

    allow: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


class CardTable(Struct, frozen=True):
    """`[card]`: what the cards of models say of intended use, limits and owner."""

    intended_use: str = ""
    limits: str = ""
    owner: str = ""


class RegistryTable(Struct, frozen=True):
    """`[registry]`: whether a passing version becomes champion at once."""

    promote_on_pass: bool | None = None


class RuleTable(Struct, frozen=True):
    """One `[[gate.rules]]`: a metric or a fact with bounds or a `baseline`; on recorded rows with slices and claims."""

    metric: str = ""
    name: str | None = None
    min: float | None = None
    max: float | None = None
    baseline: str = ""
    max_drop: float | None = None
    max_drop_percent: float | None = None
    min_gain: float | None = None
    min_gain_percent: float | None = None
    direction: Literal["higher", "lower"] | None = None
    reason: str = ""
    claim: Literal["better", "not worse"] | None = None
    margin: float | None = None
    method: Literal["bootstrap", "mcnemar"] | None = None
    confidence: float | None = None
    resamples: int | None = None
    seed: int | None = None
    predictions: str | None = None
    where: str | None = None
    slice_by: str | None = None
    bins: tuple[float, ...] | None = None
    min_rows: int | None = None
    small_slices: Literal["fail", "leave out"] | None = None
    max_gap: float | None = None
    fact: str = ""
    of: str = ""


class GateTable(Struct, frozen=True):
    """`[gate]`: the rules that a run must pass."""

    rules: tuple[RuleTable, ...] = ()


class RunTable(Struct, frozen=True):
    """`[run]`: the store that runs share with others; how many steps run at once, in how much memory; warm starts."""

    store: str | None = None
    jobs: int | None = None
    memory: str | None = None
    warm: bool | None = None


class StepTable(Struct, frozen=True):
    """`[steps.NAME]`: how often a step is tried, how long it may take, and what it needs of a machine."""

    retries: int | None = None
    backoff: float | None = None
    timeout: float | None = None
    cpu: float | None = None
    memory: str | None = None
    gpu: int | None = None


class PipelineTable(Struct, frozen=True):
    """`[pipelines.NAME]`: the same tables for one notebook, and what its cells do not say in `%mlops` lines."""

    tracking: TrackingTable = field(default_factory=TrackingTable)
    registry: RegistryTable = field(default_factory=RegistryTable)
    gate: GateTable = field(default_factory=GateTable)
    run: RunTable = field(default_factory=RunTable)
    card: CardTable = field(default_factory=CardTable)
    metrics: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    data: str | None = None
    model_name: str | None = None
    steps: Mapping[str, StepTable] = field(default_factory=dict)
    schedule: str | None = None
    secrets: tuple[str, ...] = ()


class ConfigDocument(Struct, frozen=True):
    """The whole file. The four last tables are reserved for parts that come later: accepted, not read."""

    tracking: TrackingTable = field(default_factory=TrackingTable)
    registry: RegistryTable = field(default_factory=RegistryTable)
    gate: GateTable = field(default_factory=GateTable)
    run: RunTable = field(default_factory=RunTable)
    redaction: RedactionTable = field(default_factory=RedactionTable)
    card: CardTable = field(default_factory=CardTable)
    pipelines: Mapping[str, PipelineTable] = field(default_factory=dict)
    steps: Mapping[str, StepTable] = field(default_factory=dict)
    serving: Mapping[str, Any] = field(default_factory=dict)
    monitoring: Mapping[str, Any] = field(default_factory=dict)
    retraining: Mapping[str, Any] = field(default_factory=dict)
    features: Mapping[str, Any] = field(default_factory=dict)
