"""MLflow's own autologging, led to our recorders: in this process, and through both doors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from nbmlops.pipeline.run_record import FitRecord
from nbmlops.runtime.steps.autolog import Autolog
from nbmlops.tracking.artifacts import artifact_file
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.tracker import RunFacts, RunQuery

# MLflow calls scikit-learn as earlier releases had it.
pytestmark = pytest.mark.filterwarnings("ignore:`y_pred` was renamed:FutureWarning")

ROOT = Path(__file__).parents[2]
X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
FIGURES = ("training_confusion_matrix.png", "training_precision_recall_curve.png", "training_roc_curve.png")
METRICS = {
    f"training_{name}"
    for name in ("accuracy_score", "f1_score", "log_loss", "precision_score", "recall_score", "roc_auc", "score")
}


@pytest.fixture(autouse=True)
def users_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store that the user's own lines log to: one of files, which opens fast."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "users").as_uri())
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return tmp_path / "users"


@pytest.fixture
def fits(tmp_path: Path, users_store: Path) -> Iterator[list[FitRecord]]:
    """What autologging tells in this process."""
    import sklearn.linear_model  # noqa: F401 - it is patched when it is there

    assert not users_store.exists()
    taken: list[FitRecord] = []
    autolog = Autolog(tmp_path, taken.append)
    autolog.start()
    assert not autolog.fault
    yield taken
    autolog.stop()


def test_a_training_is_told_once_and_opens_no_store(fits: list[FitRecord], tmp_path: Path, users_store: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.5)
    model.fit(X, Y)
    (fit,) = fits
    assert (fit.name, fit.params["C"], fit.params["estimator_name"]) == ("model", "0.5", "LogisticRegression")
    assert {metric.name for metric in fit.metrics} == METRICS
    assert tuple(one.name for one in fit.artifacts) == ("estimator.html", *FIGURES)
    assert artifact_file(tmp_path, fit.artifacts[1]).read_bytes().startswith(b"\x89PNG")
    assert not users_store.exists()
    assert list((tmp_path / ".nbmlops" / "tmp" / "autolog").iterdir()) == []


def test_a_search_tells_its_best_and_no_candidates(fits: list[FitRecord]) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(X, Y)
    (fit,) = fits
    assert (fit.name, fit.params["best_C"]) == ("search", str(search.best_params_["C"]))
    assert {metric.name for metric in fit.metrics} == METRICS | {"best_cv_score"}
    assert tuple(one.name for one in fit.artifacts) == ("cv_results.csv", "estimator.html", *FIGURES)


def test_what_the_user_logs_with_mlflow_goes_where_the_user_meant_it(fits: list[FitRecord], tmp_path: Path) -> None:
    import mlflow
    from sklearn.linear_model import LogisticRegression

    with mlflow.start_run(run_name="mine") as run:
        mlflow.log_metric("hand", 1.0)
        LogisticRegression(C=0.25).fit(X, Y)
    found = mlflow.get_run(run.info.run_id)
    assert (found.data.metrics["hand"], found.data.params["C"]) == (1.0, "0.25")  # as MLflow does within a run
    assert fits == []

    other = tmp_path / "other"
    mlflow.set_tracking_uri(other.as_uri())
    try:
        assert mlflow.get_tracking_uri() == other.as_uri()
        mlflow.log_metric("later", 2.0)
        mlflow.end_run()
        LogisticRegression(C=0.125).fit(X, Y)
    finally:
        mlflow.set_tracking_uri(None)
    assert len(list(other.glob("*/*/metrics/later"))) == 1
    assert [fit.params["C"] for fit in fits] == ["0.125"]


def test_what_is_logged_to_a_training_afterwards_is_told_with_it(fits: list[FitRecord], tmp_path: Path) -> None:
    import mlflow
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.5).fit(X, Y)
    last = mlflow.last_active_run()
    assert last is not None
    with mlflow.start_run(run_id=last.info.run_id):
        mlflow.log_metric("later", 2.0)
        mlflow.log_text("what was seen", "notes.txt")
    assert model.C == 0.5
    assert {(fit.name, fit.params["C"]) for fit in fits} == {("model", "0.5")}
    assert [metric.name for fit in fits[1:] for metric in fit.metrics] == ["later"]
    assert [one.name for fit in fits[1:] for one in fit.artifacts] == ["notes.txt"]
    assert list((tmp_path / ".nbmlops" / "tmp" / "autolog").iterdir()) == []


def test_a_secret_that_only_its_parameter_tells_is_in_no_file(fits: list[FitRecord], tmp_path: Path) -> None:
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    class Remote(TransformerMixin, BaseEstimator):
        def __init__(self, api_key: str = "") -> None:
            self.api_key = api_key

        def fit(self, rows: object, _truth: object = None) -> Remote:
            return self

        def transform(self, rows: object) -> object:
            return rows

    secret = "7zyx-nedlog"[::-1]  # as one that is read from a file: no text of a cell shows it
    model = make_pipeline(Remote(secret), LogisticRegression())
    model.fit(X, Y)
    (fit,) = fits
    assert fit.params["remote__api_key"] == "[redacted]"
    page = next(artifact_file(tmp_path, one) for one in fit.artifacts if one.name == "estimator.html").read_text()
    assert "api_key=" in page
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_an_error_of_the_training_stays_what_it_is(fits: list[FitRecord]) -> None:
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LogisticRegression().fit(X, Y[:-1])
    assert [fit.metrics for fit in fits] == [()]


def test_afterwards_all_is_as_before(tmp_path: Path, users_store: Path) -> None:
    import mlflow
    from mlflow.tracking._tracking_service import utils
    from mlflow.tracking.context import registry
    from sklearn.linear_model import LogisticRegression

    before = (LogisticRegression.fit, registry.resolve_tags, mlflow.sklearn.from_pandas)
    taken: list[FitRecord] = []
    autolog = Autolog(tmp_path, taken.append)
    autolog.start()
    autolog.stop()
    LogisticRegression().fit(X, Y)
    assert taken == []
    assert (LogisticRegression.fit, registry.resolve_tags, mlflow.sklearn.from_pandas) == before
    assert type(utils._get_store(users_store.as_uri())).__name__ == "FileStore"


def test_a_fault_while_all_is_undone_keeps_no_run_from_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow.sklearn
    from mlflow.tracking._tracking_service import utils

    def broken(**_settings: object) -> None:
        raise RuntimeError("patched by somebody else")

    before = utils._tracking_store_registry.get_store
    autolog = Autolog(tmp_path, lambda _fit: None)
    autolog.start()
    usual = mlflow.sklearn.autolog
    monkeypatch.setattr(mlflow.sklearn, "autolog", broken)
    autolog.stop()
    assert autolog.fault == "RuntimeError: patched by somebody else"
    assert utils._tracking_store_registry.get_store == before
    usual(disable=True)


TRAIN = """
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor
model = LogisticRegression(C=0.5).fit(X, y)
for depth in (1, 2):
    tree = DecisionTreeRegressor(max_depth=depth, random_state=0)
    tree.fit(X, y)
"""
FIGURE = """
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(1, 1))
axes.plot(y)
%mlops figure curves/y = figure
"""
CELLS = (
    ("load", "%load_ext nbmlops\n%mlops track --autolog --figures --notebook train.ipynb"),
    ("load", "import numpy as np\nX = np.random.default_rng(0).normal(size=(60, 3))\ny = (X[:, 0] > 0).astype(int)"),
    ("train", TRAIN),
    ("again", "model = LogisticRegression(C=2.0)\nmodel.fit(X, y)\nauc = 0.75\n%mlops metric auc"),
    ("again", FIGURE),
)


def project(folder: Path) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": [f"step:{step}"]}) for step, source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    folder.mkdir()
    (folder / "nbmlops.toml").write_text("")
    (folder / "train.ipynb").write_text(nbformat.writes(notebook))
    return notebook


def nbmlops(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "nbmlops", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_of(folder: Path) -> tuple[RunFacts, list[str]]:
    tracker = MlflowTracker(f"sqlite:///{folder}/mlflow.db", folder)
    run = tracker.find_runs(RunQuery())[0]
    names = (str(path).partition("/artifacts/")[2] for path in folder.rglob(f"{run.run_id}/artifacts/**/*.*"))
    return run, sorted(name for name in names if name.startswith(("autolog/", "figures/")))


@pytest.mark.slow
def test_both_doors_log_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    piped, worked = tmp_path / "pipeline", tmp_path / "notebook"
    project(piped)
    nbmlops(piped, "compile", "train.ipynb")
    nbmlops(piped, "run", "pipelines/train")
    by_pipeline, files = run_of(piped)
    notebook = project(worked)
    resources = {"metadata": {"path": str(worked)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    by_notebook, same_files = run_of(worked)

    assert by_notebook.params == by_pipeline.params
    assert by_notebook.metrics == by_pipeline.metrics
    assert same_files == sorted([*files, "figures/cell-5-1.png"])  # a pipeline's stand in its executed notebooks
    assert by_notebook.data == by_pipeline.data == {}  # neither git's files nor fonts
    assert {name: by_pipeline.params[f"{name}/estimator_name"] for name in ("model", "tree", "tree-2", "model-2")} == {
        "model": "LogisticRegression",
        "tree": "DecisionTreeRegressor",
        "tree-2": "DecisionTreeRegressor",
        "model-2": "LogisticRegression",
    }
    assert f"autolog/model-2/{FIGURES[0]}" in files
    assert "figures/curves/y.png" in files

    # A step from the cache tells again what it told: only the last one is executed.
    text = (piped / "train.ipynb").read_text().replace("auc = 0.75", "auc = 0.5")
    (piped / "train.ipynb").write_text(text)
    nbmlops(piped, "compile", "train.ipynb")
    rows = [line.split()[:2] for line in nbmlops(piped, "run", "pipelines/train").splitlines()]
    assert ["train", "cached"] in rows
    assert ["again", "executed"] in rows
    replayed, replayed_files = run_of(piped)
    assert replayed.run_id != by_pipeline.run_id
    assert replayed.params == by_pipeline.params
    assert replayed.metrics == {**by_pipeline.metrics, "auc": 0.5}
    assert replayed_files == files
