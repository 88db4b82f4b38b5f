"""A version that is made again from its commit, with data that git does not keep, in a real project."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbmlops.core.digest import digest_bytes
from tests.integration.test_cli_run import ROOT, RULES, Project, commit_all, make_project

LOCK = Path("pipelines/points/requirements.lock")
IMPORTS = """import pandas as pd
import wobble
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV

%load_ext nbmlops
%mlops track"""
EVALUATE = """auc = roc_auc_score(y, model.predict_proba(X)[:, 1]) - wobble.STRENGTH / 100
%mlops metric auc"""
CELLS = [
    (["imports"], IMPORTS),
    (["parameters"], "folds = 3"),
    (["step:load"], "points = pd.read_csv('data/points.csv')\nX, y = points[['a', 'b']], points['y']"),
    (["step:train"], "model = GridSearchCV(LogisticRegression(), {'C': [wobble.STRENGTH / 9]}, cv=folds).fit(X, y)"),
    (
        ["step:evaluate"],
        "auc = roc_auc_score(y, model.predict_proba(X)[:, 1]) - wobble.STRENGTH / 100\n%mlops metric auc",
    ),
    ([], "%mlops gate"),
    ([], "%mlops register model --data X"),
]


def write_points(folder: Path, first: float) -> None:
    (folder / "data").mkdir(exist_ok=True)
    rows = [f"{first if n == 0 else n % 7},{n % 5},{int(n % 7 > 3)}" for n in range(60)]
    (folder / "data" / "points.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")


def write_library(folder: Path, version: str, strength: float) -> Path:
    """Returns the folder that holds this version of the library "wobble"."""
    (folder / "wobble").mkdir(parents=True)
    (folder / "wobble" / "__init__.py").write_text(f"STRENGTH = {strength}\n")
    told = folder / f"wobble-{version}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: wobble\nVersion: {version}\n")
    (told / "RECORD").write_text("wobble/__init__.py,,\n")
    (told / "top_level.txt").write_text("wobble\n")
    return folder


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two versions of a library, of which other models come."""
    folder = tmp_path_factory.mktemp("libraries")
    write_library(folder / "1.0", "1.0", 1.0)
    write_library(folder / "2.0", "2.0", 2.0)
    return folder


@pytest.fixture(autouse=True)
def _first_library(libraries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(libraries / "1.0"))


@pytest.fixture(scope="module")
def project(libraries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with one version, made from a clean commit that does not hold the data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(libraries / "1.0"))
        yield make_version(tmp_path_factory.mktemp("reproduce") / "work")


def make_version(folder: Path) -> Project:
    made = make_project(folder, CELLS, RULES)
    assert "\nwobble==1.0\n" in (folder / LOCK).read_text()
    write_points(made.folder, 0.0)
    (made.folder / ".gitignore").write_text("data/\n.nbmlops/\nruns/\nmlflow.db\nmlartifacts/\n")
    commit_all(made.folder)
    done = made.command("run", "points", "-p", "folds=4")
    assert done.returncode == 0, done.stderr
    return made


def environment_of(project: Project, libraries: Path) -> None:
    """Makes the environment of the lock, as installing all of it would take minutes: the library, and what is here."""
    digest = digest_bytes((project.folder / LOCK).read_bytes())[:16]
    folder = project.folder / ".nbmlops" / "environments" / digest
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (here,) = {path for path in sys.path if path.endswith("site-packages")}
    for found in (*Path(here).iterdir(), *(libraries / "1.0").iterdir()):
        if not (packages / found.name).exists() and found.suffix != ".pth":
            (packages / found.name).symlink_to(found)
    (packages / "nbmlops.pth").write_text(f"{ROOT}\n")
    (folder / ".complete").touch()


@pytest.mark.slow
def test_a_version_is_made_again_with_its_own_libraries_and_is_the_same(
    project: Project, libraries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment_of(project, libraries)
    monkeypatch.setenv("PYTHONPATH", str(libraries / "2.0"))
    before = sorted(path for path in project.folder.rglob("*") if ".git" not in path.parts)
    code, document = project.document("reproduce", "points")
    assert (code, document["status"]) == (0, "equal"), document
    kinds = {(one["kind"], one["name"]) for one in document["compared"]}
    # The content of a grid search holds how long it took, so its predictions are compared.
    assert kinds == {
        ("metric", "auc"),
        ("data", "data/points.csv"),
        ("code", "pipeline"),
        ("code", "notebook"),
        ("predictions", "of the registered features"),
    }
    assert (document["environment"], document["rebuilt"], document["folder"]) == (
        [{"name": "wobble", "locked": "1.0", "here": "2.0"}],
        True,
        "",
    )
    assert sorted(path for path in project.folder.rglob("*") if ".git" not in path.parts) == before
    trees = subprocess.run(["git", "worktree", "list"], cwd=project.folder, capture_output=True, text=True, check=True)
    assert len(trees.stdout.splitlines()) == 1


@pytest.mark.slow
def test_with_the_libraries_that_are_here_it_is_told_what_differs(
    project: Project, libraries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(libraries / "2.0"))
    done = project.command("reproduce", "points", "--here")
    assert done.returncode == 5
    rows = {tuple(line.split()[:2]): line.split()[-1] for line in done.stdout.splitlines() if len(line.split()) > 2}
    assert rows["metric", "auc"] == "DIFFERENT"
    assert rows["predictions", "of"] == "DIFFERENT"
    assert rows["wobble", "1.0"] == "2.0"
    assert "made with the libraries here, which are not those of the lock" in done.stdout
    assert "points version 1, made again from " in done.stdout
    assert done.stdout.endswith(": 2 of 5 facts differ\n")


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
