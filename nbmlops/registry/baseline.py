"""Reading the champion as the gate's baseline; what cannot be read is told as such, never left out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from nbmlops.core.errors import EnvironmentFault, NbmlopsError
from nbmlops.gate.baseline import Baseline, Champion, NoChampion, UnreadableChampion
from nbmlops.registry.registry import CHAMPION, METRICS, ModelRegistry, ModelVersion
from nbmlops.tracking.tracker import Tracker


def read_baseline(registry: ModelRegistry, tracker: Tracker, name: str) -> Baseline:
    """Returns the champion of a name with the metrics it was registered with, or those of its run.

    A registry that cannot be reached is an unreadable champion: there may be one, and rules against it must fail. The
    reasons hold no run id, as they stand in the verdict's canonical body.

    Args:
        registry: Where the champion is.
        tracker: Where its run is, for versions that other tools registered.
        name: The model's name.

    Raises:
        UsageError: no model can have this name.
    """
    try:
        version = registry.aliased(name, CHAMPION)
    except EnvironmentFault as error:
        return UnreadableChampion(error.message)
    return NoChampion() if version is None else read_version(version, tracker)


def read_version(version: ModelVersion, tracker: Tracker) -> Baseline:
    """Returns a version with the metrics it was registered with, or those of its run.

    Args:
        version: The version.
        tracker: Where its run is, for versions that other tools registered.
    """
    label = f"{version.name} version {version.version}"
    if METRICS in version.tags:
        metrics = metrics_from_tag(version.tags[METRICS])
        if metrics is None:
            return UnreadableChampion(f"{label} has a damaged tag {METRICS}")
        return Champion(version.name, version.version, metrics)
    if not version.run_id:
        return UnreadableChampion(f"{label} was not registered by nbmlops and names no run")
    try:
        return Champion(version.name, version.version, tracker.run_facts(version.run_id).metrics)
    except NbmlopsError:
        return UnreadableChampion(f"the run of {label} cannot be read")


def metrics_to_tag(metrics: Mapping[str, float]) -> str:
    """Returns metrics as the text of a version's tag: JSON with all digits, NaN and infinities as texts."""
    plain = {name: value if math.isfinite(value) else str(float(value)) for name, value in sorted(metrics.items())}
    return json.dumps(plain, allow_nan=False)


def metrics_from_tag(text: str) -> dict[str, float] | None:
    """Returns the metrics in a version's tag, None when it holds none."""
    try:
        return {str(name): float(value) for name, value in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return None
