from __future__ import annotations

from pathlib import Path

from nbmlops.app.gitignore import ENTRIES, ensure_gitignore, missing_entries


def test_a_project_without_the_file_gets_one(tmp_path: Path) -> None:
    assert missing_entries(tmp_path) == ENTRIES
    assert ensure_gitignore(tmp_path) == ()
    assert (tmp_path / ".gitignore").read_text() == (
        "# what nbmlops runs write; notebooks, nbmlops.toml and pipelines/ are committed\n"
        "mlflow.db\nmlflow.db-*\nmlartifacts/\nruns/\n.nbmlops/\n"
    )
    assert ensure_gitignore(tmp_path) == ()


def test_an_existing_file_is_left_alone_and_told_about(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("/runs\nmlflow.db\n*.pyc\n")
    assert ensure_gitignore(tmp_path) == ("mlflow.db-*", "mlartifacts/", ".nbmlops/")
    assert (tmp_path / ".gitignore").read_text() == "/runs\nmlflow.db\n*.pyc\n"
