"""The MLflow registry against a real SQLite store, and once against a real server."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.cluster import DBSCAN
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from nbmlops.core.errors import EnvironmentFault, GateRejected, UsageError
from nbmlops.gate.baseline import Champion, NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.policy import Policy, Rule
from nbmlops.gate.verdict import Verdict, verdict_digest, verdict_to_json
from nbmlops.pipeline.run_record import Lineage, MetricValue, ModelVersionRef, StepLog
from nbmlops.registry.audit import faults, line_tags
from nbmlops.registry.baseline import read_baseline
from nbmlops.registry.mlflow_registry import MlflowRegistry
from nbmlops.registry.model_format import pinned_requirements
from nbmlops.registry.promote import promote, rollback
from nbmlops.registry.register import register
from nbmlops.registry.registry import Candidate, ModelRegistry
from nbmlops.registry.transitions import Actor, standing
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.tracker import RunStart, Tracker

URI = "sqlite:///mlflow.db"
POLICY = Policy((Rule("floor", "auc", min=0.7), Rule("not worse", "auc", baseline="champion", max_drop=0.01)))
FEATURES = pd.DataFrame({"distance": np.arange(40.0), "hour": np.arange(40) % 24})
TARGET = np.arange(40) % 2


@pytest.fixture(scope="session", autouse=True)
def _no_telemetry() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="session")
def tracker(root: Path) -> Tracker:
    return MlflowTracker(URI, root)


@pytest.fixture(scope="session")
def registry(root: Path) -> ModelRegistry:
    return MlflowRegistry(URI, root)


@pytest.fixture(scope="session")
def model() -> Any:
    forest = RandomForestClassifier(n_estimators=5, random_state=0)
    return make_pipeline(StandardScaler(), forest).fit(FEATURES, TARGET)


def candidate(tracker: Tracker, name: str, model: object, auc: float) -> Candidate:
    run_id = tracker.start_run(RunStart(name)).run_id
    tracker.log_step(run_id, StepLog(metrics=(MetricValue("auc", auc),)))
    lineage = Lineage(run_id, "abc-dirty", {"flights": "f" * 32}, "n" * 64, "p" * 64)
    return Candidate(
        model_name=name,
        run_id=run_id,
        model=model,
        model_digest="m" * 32,
        features=FEATURES,
        lineage=lineage,
        metrics={"auc": auc},
        schema={"columns": ["distance", "hour"]},
        profile={"rows": 40, "top": ["AKIA" + "IOSFODNN7EXAMPLE"]},  # a value that is a key
        description="a forest",
    )


def verdict_on(candidate: Candidate, tracker: Tracker, registry: ModelRegistry) -> Verdict:
    return evaluate(candidate.metrics, read_baseline(registry, tracker, candidate.model_name), POLICY)


def test_the_life_of_a_model_name(tracker: Tracker, registry: ModelRegistry, model: Any) -> None:
    assert read_baseline(registry, tracker, "flights") == NoChampion()
    first = candidate(tracker, "flights", model, 0.8)
    verdict = verdict_on(first, tracker, registry)
    version = register(verdict, first, registry)
    assert version.ref == ModelVersionRef("flights", "1", ("champion",))
    line = standing(registry, "flights").log.lines[0]
    assert version.tags == {
        **line_tags(line),
        "nbmlops.run_id": first.run_id,
        "nbmlops.git_commit": "abc",
        "nbmlops.git_dirty": "true",
        "nbmlops.notebook_digest": "n" * 64,
        "nbmlops.pipeline_version": "p" * 64,
        "nbmlops.data.flights": "f" * 32,
        "nbmlops.verdict": "pass",
        "nbmlops.verdict_digest": verdict_digest(verdict),
        "nbmlops.verdict_baseline": "no champion",
        "nbmlops.verdict_summary": "PASS (1 of 2 rules passed, 1 not applicable)",
        "nbmlops.model_digest": "m" * 32,
        "nbmlops.metrics": '{"auc": 0.8}',
        "nbmlops.stage": "champion",
    }
    assert register(verdict, first, registry) == version
    assert read_baseline(registry, tracker, "flights") == Champion("flights", "1", {"auc": 0.8})

    better = candidate(tracker, "flights", model, 0.82)
    assert register(verdict_on(better, tracker, registry), better, registry).ref == ModelVersionRef(
        "flights", "2", ("challenger",)
    )
    promotion = promote(registry, "flights", "challenger", Actor("ada", "2026-11-21T10:00:00Z", "better"))
    assert promotion.version.ref == ModelVersionRef("flights", "2", ("champion",))
    assert promotion.former is not None
    assert (promotion.former.ref, promotion.former.tags["nbmlops.stage"]) == (
        ModelVersionRef("flights", "1"),
        "archived",
    )
    assert promotion.version.tags["nbmlops.promoted_by"] == "ada"
    assert not promote(registry, "flights", "2").changed

    worse = candidate(tracker, "flights", model, 0.75)
    rejected = verdict_on(worse, tracker, registry)
    with pytest.raises(GateRejected, match=r"flights is not registered: .* not worse \(0\.75 is below 0\.81\)"):
        register(rejected, worse, registry)
    assert [one.ref for one in registry.versions("flights")] == [
        ModelVersionRef("flights", "2", ("champion",)),
        ModelVersionRef("flights", "1"),
    ]
    back = rollback(registry, "flights", Actor("bob", "2026-11-21T11:00:00Z", "too slow"))
    assert (back.version.ref, back.changed) == (ModelVersionRef("flights", "1", ("champion",)), True)
    now = standing(registry, "flights")
    assert faults(now.log, now.entry) == ()
    assert [(line.action.value, line.who, line.version, line.reason) for line in now.log.lines] == [
        ("register", "", "1", ""),
        ("register", "", "2", ""),
        ("promote", "ada", "2", "better"),
        ("rollback", "bob", "1", "too slow"),
    ]
    assert registry.names() == ("flights",)  # no lease is left


def test_a_version_whose_stored_model_is_gone_is_not_returned_to(
    tracker: Tracker, registry: MlflowRegistry, model: Any
) -> None:
    for auc in (0.8, 0.82):
        made = candidate(tracker, "gone", model, auc)
        register(verdict_on(made, tracker, registry), made, registry, promote_on_pass=True)
    stored = registry._client.get_model_version("gone", "1")
    shutil.rmtree(url2pathname(urlsplit(stored.source).path))
    with pytest.raises(EnvironmentFault, match="the stored model of gone version 1 is gone"):
        rollback(registry, "gone", Actor("ada"))
    assert [one.ref for one in registry.versions("gone")] == [
        ModelVersionRef("gone", "2", ("champion",)),
        ModelVersionRef("gone", "1"),
    ]


def test_the_version_holds_a_model_without_pickle_its_signature_and_documents(
    tracker: Tracker, registry: MlflowRegistry, model: Any
) -> None:
    made = candidate(tracker, "stored", model, 0.8)
    verdict = verdict_on(made, tracker, registry)
    version = register(verdict, made, registry)
    stored = registry._client.get_model_version("stored", version.version)
    folder = Path(url2pathname(urlsplit(stored.source).path))
    assert stored.description == "a forest"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {
        "MLmodel",
        "conda.yaml",
        "model.skops",
        "nbmlops/profile.json",
        "nbmlops/schema.json",
        "nbmlops/verdict.json",
        "python_env.yaml",
        "requirements.txt",
    }
    assert json.loads((folder / "nbmlops" / "verdict.json").read_text()) == verdict_to_json(verdict)
    assert json.loads((folder / "nbmlops" / "schema.json").read_text()) == {"columns": ["distance", "hour"]}
    assert json.loads((folder / "nbmlops" / "profile.json").read_text()) == {
        "rows": 40,
        "top": ["[redacted]"],
    }
    assert registry.profile(version) == {"rows": 40, "top": ["[redacted]"]}
    (folder / "nbmlops" / "profile.json").unlink()
    assert registry.profile(version) == {}
    assert set(pinned_requirements()) <= set((folder / "requirements.txt").read_text().split())

    from mlflow.models import Model

    meta = Model.load(str(folder))
    assert meta.run_id == made.run_id
    assert meta.signature.inputs.to_dict() == [
        {"type": "double", "name": "distance", "required": True},
        {"type": "long", "name": "hour", "required": True},
    ]
    flavor = meta.flavors["sklearn"]
    assert flavor["serialization_format"] == "skops"
    assert flavor["skops_trusted_types"] == ["sklearn.tree._tree.Tree"]

    from skops import io as skops_io

    loaded = skops_io.load(folder / "model.skops", trusted=["sklearn.tree._tree.Tree"])
    assert np.array_equal(loaded.predict_proba(FEATURES), model.predict_proba(FEATURES))


def test_the_run_knows_its_model(tracker: Tracker, registry: MlflowRegistry, model: Any) -> None:
    made = candidate(tracker, "known", model, 0.8)
    register(verdict_on(made, tracker, registry), made, registry)
    (output,) = registry._client.get_run(made.run_id).outputs.model_outputs
    assert str(registry._client.get_logged_model(output.model_id).status) == "READY"


def own_code(frame: object) -> object:
    return frame


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: make_pipeline(FunctionTransformer(own_code), StandardScaler()).fit(FEATURES),
            "the model (sklearn.pipeline.Pipeline) holds what cannot be stored safely: ",
        ),
        (lambda: {"weights": [1, 2]}, "a model of type builtins.dict cannot be registered"),
    ],
)
def test_what_cannot_be_stored_safely_is_refused_and_nothing_is_left(
    tracker: Tracker, registry: ModelRegistry, make: Any, message: str
) -> None:
    made = candidate(tracker, "refused", make(), 0.8)
    with pytest.raises(UsageError) as caught:
        register(verdict_on(made, tracker, registry), made, registry)
    assert caught.value.message.startswith(message)
    assert registry.versions("refused") == ()
    assert "refused" not in registry.names()


def test_features_of_another_shape_are_refused(tracker: Tracker, registry: ModelRegistry, model: Any) -> None:
    made = replace(candidate(tracker, "shape", model, 0.8), features=FEATURES[["hour"]])
    with pytest.raises(UsageError, match="the model cannot predict on the given features"):
        register(verdict_on(made, tracker, registry), made, registry)
    assert registry.versions("shape") == ()


def test_a_model_that_cannot_predict_is_stored_with_the_signature_of_its_input(
    tracker: Tracker, registry: ModelRegistry
) -> None:
    made = candidate(tracker, "clusters", DBSCAN().fit(FEATURES), 0.8)
    assert register(verdict_on(made, tracker, registry), made, registry).version == "1"


def test_a_name_that_mlflow_refuses_is_told(tracker: Tracker, registry: ModelRegistry, model: Any) -> None:
    made = replace(candidate(tracker, "plain", model, 0.8), model_name="a/b")
    with pytest.raises(UsageError, match=r"Invalid model name 'a/b'\. Names cannot contain '/' or ':'\."):
        read_baseline(registry, tracker, "a/b")
    with pytest.raises(UsageError, match="Invalid model name 'a/b'"):
        register(evaluate(made.metrics, NoChampion(), POLICY), made, registry)


def test_infinite_metrics_of_a_champion_come_back(tracker: Tracker, registry: ModelRegistry, model: Any) -> None:
    made = candidate(tracker, "infinite", model, 0.8)
    made = replace(made, metrics={"auc": 0.8, "ratio": math.inf})
    register(evaluate(made.metrics, NoChampion(), POLICY), made, registry)
    expected = Champion("infinite", "1", {"auc": 0.8, "ratio": math.inf})
    assert read_baseline(registry, tracker, "infinite") == expected


@pytest.mark.slow
def test_a_server_does_the_same(mlflow_server: str, tmp_path: Path, model: Any) -> None:
    tracker, registry = MlflowTracker(mlflow_server, tmp_path), MlflowRegistry(mlflow_server, tmp_path)
    made = candidate(tracker, "planes", model, 0.8)
    assert tracker.run_facts(made.run_id).metrics == {"auc": 0.8}
    verdict = verdict_on(made, tracker, registry)
    version = register(verdict, made, registry)
    assert version.ref == ModelVersionRef("planes", "1", ("champion",))
    assert register(verdict, made, registry) == version
    assert registry.profile(version) == {"rows": 40, "top": ["[redacted]"]}
    assert read_baseline(registry, tracker, "planes") == Champion("planes", "1", {"auc": 0.8})
    with pytest.raises(UsageError, match="not found"):
        tracker.run_facts("0123456789abcdef")
