from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from nbmlops.core.digest import digest_json
from nbmlops.tracking.environment import EnvironmentFacts, GitState, environment_facts, git_state


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    result = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return result.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "nb.ipynb").write_text("{}")
    git(tmp_path, "add", "nb.ipynb")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_the_commit_of_a_clean_tree(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert git_state(repository) == GitState(commit, dirty=False)
    assert str(git_state(repository)) == commit


def test_a_changed_file_makes_it_dirty_an_untracked_one_only_when_it_matters(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "new.ipynb").write_text("{}")
    sub = repository / "sub"
    sub.mkdir()
    assert git_state(sub) == GitState(commit, dirty=False)
    assert git_state(repository, [repository / "nb.ipynb"]) == GitState(commit, dirty=False)
    assert git_state(repository, [repository / "new.ipynb"]) == GitState(commit, dirty=True)
    (repository / "nb.ipynb").write_text("{ }")
    assert str(git_state(sub)) == f"{commit}-dirty"


def test_no_repository_no_commit_no_folder_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_state(tmp_path) == GitState()
    assert git_state(tmp_path / "missing") == GitState()
    git(tmp_path, "init", "-q")
    assert git_state(tmp_path) == GitState()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) == GitState()


def test_variables_of_a_git_hook_do_not_lead_elsewhere(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("other")))
    assert git_state(repository) == GitState(commit, dirty=False)


def test_the_facts_of_this_environment() -> None:
    packages = {"pytest": version("pytest")}
    system = f"{platform.system()}-{platform.machine()}".lower()
    python = platform.python_version()
    digest = digest_json({"python": python, "platform": system, "packages": packages})
    assert environment_facts(["pytest", "no-such-distribution"]) == EnvironmentFacts(python, system, packages, digest)
