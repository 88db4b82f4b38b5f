from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbmlops.app.versions import reproduced_predictions as module
from nbmlops.app.versions.reproduced_predictions import Models, Predicted, StoredModel, ask_predictions, predict
from nbmlops.app.wiring import Stores
from nbmlops.core.known_secrets import MARK
from nbmlops.pipeline.ir import Input, RegisterStage
from nbmlops.registry.registry import ModelVersion
from tests.fakes.in_memory import InMemoryRegistry

STAGE = RegisterStage(Input("model", "fit"), Input("X", "load"), "points")


class Model:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def predict(self, features: list[int]) -> list[int]:
        return [self.factor * one for one in features]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> InMemoryRegistry:
    """A registry with two versions; a pipeline whose steps made a model that is the first one."""
    values = {"model": Model(2), "X": [1, 2, 3]}
    monkeypatch.setattr(module, "read_pipeline", lambda path: SimpleNamespace(register=STAGE))
    monkeypatch.setattr(module, "load_value", lambda folder, result, name: values[name])
    monkeypatch.setattr(module, "run_pipeline", lambda folder, options, tell: None)
    made = InMemoryRegistry({"points": [ModelVersion("points", "1"), ModelVersion("points", "2")]})
    made.stored = {("points", "1"): Model(2), ("points", "2"): Model(3)}
    monkeypatch.setattr(Stores, "registry", made)
    return made


def models(folder: Path, recorded: str, made: str = "", **parameters: str) -> Models:
    stored = [StoredModel("sqlite:///x.db", str(folder), "points", version) for version in (recorded, made or "1")]
    return Models(str(folder), parameters, stored[0], stored[1] if made else None)


@pytest.mark.usefixtures("registry")
def test_models_are_compared_by_what_they_predict(tmp_path: Path) -> None:
    equal = predict(models(tmp_path, "1", "1"))
    assert equal.recorded == equal.made != ""
    other = predict(models(tmp_path, "2", "1"))
    assert (other.made, other.recorded == other.made) == (equal.made, False)
    # What the gate rejects now is compared by what the steps made.
    assert predict(models(tmp_path, "1")) == equal
    assert predict(models(tmp_path, "1", "1", token=MARK)) == Predicted()


def test_what_cannot_be_asked_is_told(tmp_path: Path) -> None:
    told = list[str]()
    found = ask_predictions(sys.executable, os.environ, models(tmp_path, "1"), told.append)
    assert found == Predicted()
    (line,) = told
    assert line.startswith("predictions cannot be compared: ")
    assert "pipeline.yaml" in line
