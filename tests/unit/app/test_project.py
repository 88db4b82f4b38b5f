from __future__ import annotations

from pathlib import Path

import pytest

from nbmlops.app.project import default_out, find_pipeline, find_root, pipeline_names, shown_path
from nbmlops.core.errors import UsageError


@pytest.mark.parametrize(
    ("marker", "text"),
    [("nbmlops.toml", ""), ("pyproject.toml", "[tool.nbmlops]\n"), ("pyproject.toml", "[[tool.nbmlops.gate.rules]]\n")],
)
def test_a_marked_folder_above_the_notebook_is_the_root(tmp_path: Path, marker: str, text: str) -> None:
    (tmp_path / marker).write_text(text)
    notebook = tmp_path / "a" / "b" / "churn.ipynb"
    notebook.parent.mkdir(parents=True)
    assert find_root(notebook) == tmp_path


def test_the_nearest_mark_wins_and_a_foreign_pyproject_is_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[tool.other]\n# nbmlops\n")
    assert find_root(inner / "n.ipynb") == tmp_path
    (inner / "nbmlops.toml").touch()
    assert find_root(inner / "n.ipynb") == inner


def test_without_a_mark_the_parent_of_pipelines_or_the_notebooks_folder_is_the_root(tmp_path: Path) -> None:
    pipeline = tmp_path / "pipelines" / "churn"
    pipeline.mkdir(parents=True)
    assert find_root(pipeline) == tmp_path
    assert find_root(tmp_path / "work" / ".." / "n.ipynb") == tmp_path


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match="not a usable path"):
        find_root(tmp_path / "loop" / "n.ipynb")


def test_a_pipeline_is_found_by_folder_file_and_name(tmp_path: Path) -> None:
    folder = default_out(tmp_path, "churn")
    folder.mkdir(parents=True)
    (folder / "pipeline.yaml").touch()
    (tmp_path / "nbmlops.toml").touch()
    for text in ("pipelines/churn", "pipelines/churn/pipeline.yaml", "churn", str(folder)):
        assert find_pipeline(text, tmp_path) == folder
    assert pipeline_names(tmp_path) == ("churn",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "chrun",
            "chrun is not a compiled pipeline: it holds no pipeline.yaml\nhint: pipelines of this project: churn",
        ),
        (
            "n.ipynb",
            (
                "n.ipynb is a notebook, not a compiled pipeline\n"
                "hint: compile it first: nbmlops compile n.ipynb; then run the folder that it writes"
            ),
        ),
    ],
)
def test_a_wrong_pipeline_is_met_with_what_exists(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "nbmlops.toml").touch()
    folder = default_out(tmp_path, "churn")
    folder.mkdir(parents=True)
    (folder / "pipeline.yaml").touch()
    with pytest.raises(UsageError) as caught:
        find_pipeline(text, tmp_path)
    assert str(caught.value) == message


def test_paths_are_shown_as_a_person_would_write_them(tmp_path: Path) -> None:
    assert shown_path(tmp_path / "a" / "b", tmp_path) == "a/b"
    assert shown_path(tmp_path / "a", tmp_path / "x") == "../a"
    assert shown_path(Path("/elsewhere"), Path("/home/somebody/deep/er")) == "/elsewhere"
