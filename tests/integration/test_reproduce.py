"""A version that is made again from its commit, with data that git does not keep, in a real project."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.test_cli_run import RULES, Project, commit_all, make_project

IMPORTS = """import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV

%load_ext nbmlops
%mlops track"""
CELLS = [
    (["imports"], IMPORTS),
    (["parameters"], "folds = 3"),
    (["step:load"], "points = pd.read_csv('data/points.csv')\nX, y = points[['a', 'b']], points['y']"),
    (["step:train"], "model = GridSearchCV(LogisticRegression(), {'C': [0.1, 1.0]}, cv=folds).fit(X, y)"),
    (["step:evaluate"], "auc = roc_auc_score(y, model.predict_proba(X)[:, 1])\n%mlops metric auc"),
    ([], "%mlops gate"),
    ([], "%mlops register model --data X"),
]


def write_points(folder: Path, first: float) -> None:
    (folder / "data").mkdir(exist_ok=True)
    rows = [f"{first if n == 0 else n % 7},{n % 5},{int(n % 7 > 3)}" for n in range(60)]
    (folder / "data" / "points.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with one version, made from a clean commit that does not hold the data."""
    made = make_project(tmp_path_factory.mktemp("reproduce") / "work", CELLS, RULES)
    write_points(made.folder, 0.0)
    (made.folder / ".gitignore").write_text("data/\n.nbmlops/\nruns/\nmlflow.db\nmlartifacts/\n")
    commit_all(made.folder)
    done = made.command("run", "points", "-p", "folds=4")
    assert done.returncode == 0, done.stderr
    return made


@pytest.mark.slow
def test_a_version_is_made_again_and_is_the_same(project: Project) -> None:
    before = sorted(path for path in project.folder.rglob("*") if ".git" not in path.parts)
    code, document = project.document("reproduce", "points")
    assert (code, document["status"]) == (0, "equal")
    kinds = {(one["kind"], one["name"]) for one in document["compared"]}
    # The content of a grid search holds how long it took, so its predictions are compared.
    assert kinds == {
        ("metric", "auc"),
        ("data", "data/points.csv"),
        ("code", "pipeline"),
        ("code", "notebook"),
        ("predictions", "of the registered features"),
    }
    assert (document["environment"], document["folder"]) == ([], "")
    assert sorted(path for path in project.folder.rglob("*") if ".git" not in path.parts) == before
    trees = subprocess.run(["git", "worktree", "list"], cwd=project.folder, capture_output=True, text=True, check=True)
    assert len(trees.stdout.splitlines()) == 1


@pytest.mark.slow
def test_data_that_has_changed_or_is_gone_is_told_before_anything_runs(project: Project) -> None:
    write_points(project.folder, 3.5)
    changed = project.command("reproduce", "points/1")
    (project.folder / "data" / "points.csv").unlink()
    gone = project.command("reproduce", "points/1")
    write_points(project.folder, 0.0)
    for done in (changed, gone):
        assert done.returncode == 4
        assert "data/points.csv is gone: neither the commit nor the project holds the file" in done.stderr
        assert "dvc pull data/points.csv" in done.stderr
        assert "running points" not in done.stderr


@pytest.mark.slow
def test_what_was_not_committed_cannot_be_made_again(project: Project) -> None:
    (project.folder / "nbmlops.toml").write_text(RULES + "\n# a change\n")
    done = project.command("run", "points", "-p", "folds=5")
    assert done.returncode == 0, done.stderr
    refused = project.command("reproduce", "points/2")
    assert refused.returncode == 2
    assert "with changes that were not committed" in refused.stderr
    assert project.command("reproduce", "points/3").returncode == 2
