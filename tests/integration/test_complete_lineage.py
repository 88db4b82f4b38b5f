"""The examples with no line of ours but `track`: what they read, made, used, were given and scored is in their runs."""

from __future__ import annotations

import json
import re
import shutil
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.tracker import RunState

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere files that libraries read past Python are not seen"),
]

ROOT = Path(__file__).parents[2]
HEX = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Expected:
    """What the run of an example tells.

    Attributes:
        inputs: File names of what it read.
        params: As the store keeps them.
        cells: For each cell that touches tables or models: what it made, what it used.
        model_params: Some of the models' parameters: model, name, value.
        metrics: Names of the metrics, of which the settings know the variables.
        shorter: Parameters for a shorter run.
    """

    inputs: set[str]
    params: dict[str, str]
    cells: list[tuple[str, str]]
    model_params: set[tuple[str, str, float]]
    metrics: set[str] = field(default_factory=set)
    shorter: dict[str, str] = field(default_factory=dict)


EXPECTED = {
    "diabetes_progression": Expected(
        {"diabetes_data_raw.csv.gz", "diabetes_target.csv.gz"},
        {"alpha": "30.0", "interactions": "True", "folds": "10", "test_share": "0.2", "seed": "4"},
        [
            ("X X_test X_train patients y_test y_train", ""),
            ("correlation", "patients"),
            ("model out_of_fold", "X_train y_train"),
            ("predicted", "X_test model y_test y_train"),
        ],
        {("model", "ridge__alpha", 30.0), ("model", "pairs__degree", 2)},
    ),
    "kale_wine": Expected(
        {"wine_data.csv"},
        {
            "n_estimators": "60",
            "max_depth": "6",
            "penalty_strength": "1.0",
            "test_share": "0.3",
            "random_state": "5",
        },
        [
            ("wines", ""),
            ("X X_test X_train y_test y_train", "wines"),
            ("", "X_train"),
            ("forest", "X_test X_train y_test y_train"),
            ("logistic", "X_test X_train y_test y_train"),
            ("results", ""),
            ("model", "forest logistic"),
        ],
        {("forest", "n_estimators", 60), ("logistic", "logisticregression__C", 1.0)},
        {"accuracy", "f1_macro", "logloss"},
    ),
    "flight_delays": Expected(
        {"airports.csv", "flights.csv.zip", "planes.csv", "weather.csv"},
        {
            "train_months": "[1, 2, 3, 4, 5, 6, 7, 8]",
            "test_months": "[9, 10, 11, 12]",
            "late_after": "15",
            "sample_rows": "8000",
            "max_iter": "3",
            "learning_rate": "0.1",
            "max_leaf_nodes": "15",
            "alert_above": "0.3",
            "seed": "2013",
        },
        [
            ("airports flights planes weather", ""),
            ("", "flights"),
            ("arrived flights weather", "flights weather"),
            ("held_out hourly monthly", "flights"),
            ("X airports arrival departure joined planes", "airports flights planes weather"),
            ("X_test X_train in_test in_training y_test y_train", "X flights"),
            ("classify encode model prepare", "X_train y_train"),
            ("alert probability", "X_test model y_test"),
            ("", "probability y_test"),
            ("by_origin", "X_test probability y_test"),
            ("by_carrier", "X_test probability y_test"),
        ],
        {("model", "classify__max_iter", 3)},
        shorter={"sample_rows = 80_000": "sample_rows = 8_000", "max_iter = 20": "max_iter = 3"},
    ),
}


def tracked_only(path: Path, shorter: dict[str, str]) -> nbformat.NotebookNode:
    """Returns the notebook, tracked from its first cell, without any other line of ours."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        lines = [line for line in cell.source.split("\n") if not line.startswith(("%mlops", "%load_ext nbmlops"))]
        cell.source = "\n".join(lines)
        for long, short in shorter.items():
            cell.source = cell.source.replace(long, short)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%load_ext nbmlops\n%mlops track"))
    return notebook


@pytest.mark.parametrize("name", EXPECTED)
def test_track_alone_gives_complete_lineage(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    expected, path = EXPECTED[name], tmp_path / f"{name}.ipynb"
    shutil.copy(ROOT / "nbmlops.toml", tmp_path)
    notebook = tracked_only(ROOT / "example_notebooks" / path.name, expected.shorter)
    nbformat.write(notebook, path)
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()

    tracker = MlflowTracker("sqlite:///mlflow.db", tmp_path)
    run = tracker.latest_run(name, {})
    assert run is not None
    assert (run.state, run.params, set(run.metrics)) == (RunState.FINISHED, expected.params, expected.metrics)
    assert {Path(input_).name for input_ in run.data} == expected.inputs
    library = Path(sysconfig.get_path("purelib"))
    paths = {input_: library / input_.removeprefix("package:") for input_ in run.data}
    assert run.data == {input_: fingerprint_file(path) for input_, path in paths.items()}
    assert {key: value for key, value in run.tags.items() if key.startswith("nbmlops.data.")} == {
        f"nbmlops.data.{input_}": digest for input_, digest in run.data.items()
    }
    assert run.tags["nbmlops.reproducible"] == "yes, as far as the cells tell"

    (document,) = tmp_path.rglob("cells.json")
    runs = json.loads(document.read_text())["runs"]
    touched = [(" ".join(sorted(cell["made"])), " ".join(sorted(cell["used"]))) for cell in runs]
    assert [cell for cell in touched if any(cell)] == expected.cells
    assert sorted({Path(file).name for cell in runs for file in cell["read"]}) == sorted(expected.inputs)
    left: dict[str, str] = {}
    for cell in runs:
        # What a cell uses is what the cells before it left under this name.
        assert cell["used"] == {used: left[used] for used in cell["used"]}
        left |= {made: seen["digest"] for made, seen in cell["made"].items()}
    params = {made: seen["params"] for cell in runs for made, seen in cell["made"].items() if seen["kind"] == "model"}
    assert {(model, name, params[model][name]) for model, name, _ in expected.model_params} == expected.model_params
    assert [made for made, digest in left.items() if not HEX.fullmatch(digest)] == []
