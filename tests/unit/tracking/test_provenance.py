import subprocess
from pathlib import Path

from nbmlops.core.digest import digest_bytes
from nbmlops.tracking import provenance
from nbmlops.tracking.provenance import (
    GitDiff,
    Provenance,
    git_diff,
    installed_packages,
    provenance_from_json,
    provenance_to_json,
)
from tests.fakes.told import provenance as told


def test_it_comes_back_as_it_was_written():
    assert provenance_from_json(provenance_to_json(told(2))) == told(2)
    assert provenance_from_json(provenance_to_json(Provenance())) == Provenance()


def test_other_documents_are_none():
    assert provenance_from_json(None) is None
    assert provenance_from_json({"schema": "nbmlops/provenance/2"}) is None
    assert provenance_from_json({"schema": provenance.SCHEMA, "cells": 3, "packages": [], "diff": "x"}) == Provenance()


def test_packages_are_those_that_are_installed(tmp_path: Path):
    for folder, names in (("a", ["Scikit_Learn-1.5.dist-info", "x-1.dist-info"]), ("b", ["x-2.dist-info", "y.py"])):
        for name in names:
            (tmp_path / folder / name).mkdir(parents=True)
    folders = [str(tmp_path / "a"), str(tmp_path / "gone"), str(tmp_path / "b")]
    assert installed_packages(folders) == {"scikit-learn": "1.5", "x": "1"}
    assert "pandas" in installed_packages()


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_the_diff_has_tracked_files_but_no_notebooks(tmp_path: Path, monkeypatch):
    assert git_diff(tmp_path) == GitDiff()
    git(tmp_path, "init")
    for name in ("helpers.py", "n.ipynb"):
        (tmp_path / name).write_text("a\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    assert git_diff(tmp_path) == GitDiff()
    for name in ("helpers.py", "n.ipynb", "untracked.py"):
        (tmp_path / name).write_text("b\n")
    diff = git_diff(tmp_path)
    assert "helpers.py" in diff.text
    assert "+b" in diff.text
    assert "ipynb" not in diff.text
    assert "untracked" not in diff.text
    assert diff.sha256 == digest_bytes(diff.text.encode())
    monkeypatch.setattr(provenance, "MOST_DIFF", 10)
    assert git_diff(tmp_path) == GitDiff(diff.sha256)
