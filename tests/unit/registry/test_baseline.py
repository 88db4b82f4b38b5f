from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbmlops.core.errors import EnvironmentFault
from nbmlops.gate.baseline import Baseline, Champion, NoChampion, UnreadableChampion
from nbmlops.pipeline.run_record import MetricValue, StepLog
from nbmlops.registry.baseline import metrics_from_tag, metrics_to_tag, read_baseline
from nbmlops.registry.registry import METRICS, ModelVersion
from nbmlops.tracking.tracker import RunStart
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker


def registry_with(version: ModelVersion) -> InMemoryRegistry:
    return InMemoryRegistry({"m": [version]}, {("m", "champion"): "1"})


def test_no_model_and_no_alias_are_no_champion() -> None:
    assert read_baseline(InMemoryRegistry(), InMemoryTracker(), "m") == NoChampion()
    assert read_baseline(InMemoryRegistry({"m": [ModelVersion("m", "1")]}), InMemoryTracker(), "m") == NoChampion()


def test_metrics_come_from_the_versions_tag_before_the_run() -> None:
    version = ModelVersion("m", "1", "no such run", (), {METRICS: metrics_to_tag({"auc": 0.1 + 0.2})})
    assert read_baseline(registry_with(version), InMemoryTracker(), "m") == Champion("m", "1", {"auc": 0.1 + 0.2})


def test_a_version_of_another_tool_is_read_by_its_run() -> None:
    tracker = InMemoryTracker()
    run = tracker.start_run(RunStart("m"))
    tracker.log_step(run.run_id, StepLog(metrics=(MetricValue("auc", 0.8),)))
    registry = registry_with(ModelVersion("m", "1", run.run_id))
    assert read_baseline(registry, tracker, "m") == Champion("m", "1", {"auc": 0.8})


@pytest.mark.parametrize(
    ("version", "baseline"),
    [
        (ModelVersion("m", "1"), UnreadableChampion("m version 1 was not registered by nbmlops and names no run")),
        (ModelVersion("m", "1", "gone"), UnreadableChampion("the run of m version 1 cannot be read")),
        (
            ModelVersion("m", "1", "gone", (), {METRICS: "[1"}),
            UnreadableChampion("m version 1 has a damaged tag nbmlops.metrics"),
        ),
        (
            ModelVersion("m", "1", "gone", (), {METRICS: '{"auc": null}'}),
            UnreadableChampion("m version 1 has a damaged tag nbmlops.metrics"),
        ),
    ],
)
def test_what_cannot_be_read_is_told(version: ModelVersion, baseline: Baseline) -> None:
    assert read_baseline(registry_with(version), InMemoryTracker(), "m") == baseline


def test_a_registry_that_cannot_be_reached_is_no_missing_champion() -> None:
    class Down(InMemoryRegistry):
        def aliased(self, name: str, alias: str) -> ModelVersion | None:
            raise EnvironmentFault("the tracking server http://x cannot be reached")

    expected = UnreadableChampion("the tracking server http://x cannot be reached")
    assert read_baseline(Down(), InMemoryTracker(), "m") == expected


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # no test of how fast a busy machine is
@given(st.dictionaries(st.text(), st.floats(allow_nan=False)))
def test_metrics_survive_their_tag_with_all_digits(metrics: dict[str, float]) -> None:
    assert metrics_from_tag(metrics_to_tag(metrics)) == metrics


def test_nan_survives_its_tag() -> None:
    metrics = metrics_from_tag(metrics_to_tag({"auc": math.nan}))
    assert metrics is not None
    assert math.isnan(metrics["auc"])
