from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbmlops.app.compiling.compile import CompileMode, CompileRequest, CompileStatus, compile_project
from nbmlops.app.compiling.lock import LockChange, refresh_lock
from nbmlops.app.project import default_out
from nbmlops.core.errors import UsageError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    cell = {"cell_type": "code", "id": "a", "metadata": {"tags": ["step:one"]}, "outputs": [], "execution_count": None}
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}},
        "cells": [cell | {"source": "import click\nx = click.__name__"}],
    }
    (tmp_path / "small.ipynb").write_text(json.dumps(document))
    return tmp_path


def test_a_lock_is_made_once_and_refreshed_on_request(project: Path) -> None:
    request = CompileRequest("small.ipynb", project)
    assert compile_project(request).status is CompileStatus.WRITTEN
    lock = default_out(project, "small") / "requirements.lock"
    first = lock.read_text()
    assert "\nclick==" in first
    lock.write_text(first.replace("click==", "click==0.") + "gone==1\n")
    assert compile_project(request).status is not CompileStatus.REFUSED
    assert "click==0." in lock.read_text()
    for target in ("small", "pipelines/small", "small.ipynb"):
        lock.write_text(first.replace("click==", "click==0.") + "gone==1\n")
        outcome = refresh_lock(target, project)
        version = first.partition("click==")[2].partition("\n")[0]
        assert outcome.changes == (LockChange("click", f"0.{version}", version), LockChange("gone", "1", ""))
        assert (outcome.path, outcome.notebook) == ("pipelines/small/requirements.lock", "small.ipynb")
        assert lock.read_text() == first
    assert refresh_lock("small", project).changes == ()


def test_a_pipeline_whose_notebook_is_gone_cannot_be_locked(project: Path) -> None:
    compile_project(CompileRequest("small.ipynb", project))
    (project / "small.ipynb").unlink()
    with pytest.raises(UsageError, match="the notebook of small is gone"):
        refresh_lock("small", project)


def test_checking_and_planning_write_nothing(project: Path) -> None:
    for mode, status in ((CompileMode.CHECK, CompileStatus.STALE), (CompileMode.DRY_RUN, CompileStatus.PLANNED)):
        assert compile_project(CompileRequest("small.ipynb", project, mode=mode)).status is status
    assert [path.name for path in project.iterdir()] == ["small.ipynb"]
