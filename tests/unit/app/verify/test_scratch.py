"""Scratch copies of a project: what goes into them, and that there is an end to their size."""

from pathlib import Path

import pytest

from nbmlops.app.verify.scratch import copy_project
from nbmlops.core.errors import UsageError


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def listed(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_symlink() or path.is_file())


def test_what_tools_and_runs_left_stays_out(tmp_path: Path) -> None:
    project, copy = tmp_path / "project", tmp_path / "copy"
    kept = ["a.ipynb", "data/x.csv", "data/runs/y.csv", "pipelines/a/pipeline.yaml"]
    left_out = [
        ".git/HEAD", ".venv/bin/python", "env/pyvenv.cfg", "env/lib/x.py", ".nbmlops/store/x", "runs/a/run.json",
        "mlflow.db", "mlartifacts/x", "data/__pycache__/x.pyc", "data/.ipynb_checkpoints/a.ipynb",
    ]  # fmt: skip
    write(project, *kept, *left_out)
    (project / "empty").mkdir()
    copy_project(project, copy)
    assert listed(copy) == sorted(kept)
    assert sorted(path.name for path in copy.iterdir() if path.is_dir()) == [
        ".nbmlops", "data", "empty", "pipelines", "runs",
    ]  # fmt: skip
    assert (copy / "data/x.csv").read_text() == "data/x.csv"


def test_links_lead_where_they_led(tmp_path: Path) -> None:
    project, copy = tmp_path / "project", tmp_path / "copy"
    write(project, "data/x.csv")
    write(tmp_path, "outside/y.csv")
    (project / "inner.csv").symlink_to("data/x.csv")
    (project / "data" / "absolute.csv").symlink_to(project / "inner.csv")
    (project / "outer.csv").symlink_to("../outside/y.csv")
    (project / "folder").symlink_to(tmp_path / "outside")
    copy_project(project, copy)
    (copy / "data/x.csv").write_text("changed")
    assert (copy / "inner.csv").read_text() == (copy / "data/absolute.csv").read_text() == "changed"
    assert (copy / "outer.csv").read_text() == (copy / "folder" / "y.csv").read_text() == "outside/y.csv"


def test_writing_to_the_copy_leaves_the_project_alone(tmp_path: Path) -> None:
    project, copy = tmp_path / "project", tmp_path / "copy"
    write(project, "data/x.csv")
    copy_project(project, copy)
    with (copy / "data/x.csv").open("r+") as stream:
        stream.write("changed")
    assert (project / "data/x.csv").read_text() == "data/x.csv"


def test_a_project_that_is_too_large_is_named_with_its_largest_files(tmp_path: Path) -> None:
    project = tmp_path / "project"
    write(project, "small")
    (project / "big.bin").write_bytes(bytes(3000))
    with pytest.raises(UsageError) as refused:
        copy_project(project, tmp_path / "copy", limit=2000)
    assert refused.value.message == (
        "the project 'project' holds 3 KB; verify copies at most 2 KB. Largest: big.bin (3 KB), small (5 B)"
    )
    assert not (tmp_path / "copy").exists()
