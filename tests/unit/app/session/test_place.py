from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbmlops.app.session.place import Kernel, SessionOptions, find_place
from nbmlops.core.errors import UsageError
from nbmlops.gate.policy import Policy, Rule

RULES = """\
[[gate.rules]]
name = "floor"
metric = "auc"
min = 0.7

[pipelines.late_flights]
model_name = "lateness"
"""


def write(path: Path, *cells: tuple[str, list[str]]) -> Path:
    found = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {"tags": tags},
            "source": text,
            "outputs": [],
            "execution_count": None,
        }
        for n, (text, tags) in enumerate(cells)
    ]
    document = {"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MLFLOW_TRACKING_URI", "JPY_SESSION_NAME", "IPYNB_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "nbmlops.toml").write_text(RULES)
    folder = tmp_path / "notebooks"
    write(folder / "late flights.ipynb", ("depth = 3\nrate: float = 0.1", ["parameters"]), ("x = 1", ["step:a"]))
    write(folder / "other.ipynb", ("%mlops register model --data X --name named", []))
    monkeypatch.chdir(folder)
    return tmp_path


def test_a_known_notebook_decides_settings_parameters_and_names(project: Path):
    place = find_place(SessionOptions(notebook=Path("late flights.ipynb")), Kernel({}))
    assert (place.root, place.notebook, place.name) == (project, "notebooks/late flights.ipynb", "late_flights")
    assert place.parameters == ("depth", "rate")
    assert place.config.policy == Policy((Rule("floor", "auc", min=0.7),))
    assert place.experiment == "late_flights"
    assert place.shown_uri == "sqlite:///mlflow.db"
    assert place.lineage("r1", {"df": "0" * 32}).notebook == place.notebook_digest
    assert [place.model_name(given) for given in (None, "mine")] == ["lateness", "lateness"]


def test_the_register_line_names_the_model(project: Path):
    place = find_place(SessionOptions(notebook=Path("other.ipynb")), Kernel({}))
    assert [place.model_name(given) for given in (None, "mine")] == ["named", "mine"]


def test_a_plain_call_names_the_model_as_the_line_does(project: Path):
    write(project / "call.ipynb", ("import nbmlops\nnbmlops.register(model, data=X, name='called')", []))
    assert find_place(SessionOptions(notebook=project / "call.ipynb"), Kernel({})).model_name(None) == "called"


def test_an_unknown_notebook_has_the_projects_settings_and_no_model_name(project: Path):
    place = find_place(SessionOptions(), Kernel({}))
    assert (place.notebook, place.name, place.parameters, place.notebook_digest) == ("", "", (), "")
    assert place.root == project
    assert place.experiment == project.name
    assert place.model_name("mine") == "mine"
    with pytest.raises(UsageError) as caught:
        place.model_name(None)
    assert str(caught.value) == (
        "the notebook is not known, and so its model has no name\n"
        "hint: tell it with `%mlops track --notebook PATH.ipynb`, or use --name"
    )


def test_passwords_are_not_shown(project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@host/mlflow")
    assert "secret" not in find_place(SessionOptions(), Kernel({})).shown_uri
