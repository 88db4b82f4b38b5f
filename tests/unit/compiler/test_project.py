from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbmlops.compiler.program import Compiled
from nbmlops.compiler.project import Changes, plan_changes, write
from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.pipeline.codec import pipeline_to_yaml
from nbmlops.pipeline.ir import Pipeline

OUT = "pipelines/p"
WORKFLOW = ".github/workflows/p.yml"


def compiled(**texts: str) -> Compiled:
    """A compilation with these files of the pipeline's folder (`__` for `/`), a lock, and a workflow."""
    files = {name.replace("__", "/") + ".py": text.encode() for name, text in texts.items()}
    files["../../" + WORKFLOW] = b"on: push\n"
    recorded = {path: str(digest_bytes(content)) for path, content in files.items()}
    pipeline = Pipeline("p", "", "../../n.ipynb", "../..", "", {}, "", (), ())
    placed = {os.path.normpath(f"{OUT}/{path}"): content for path, content in files.items()}
    placed[f"{OUT}/requirements.lock"] = b"# python 3.11\n"
    placed[f"{OUT}/pipeline.yaml"] = pipeline_to_yaml(pipeline, recorded)
    return Compiled(pipeline, placed, OUT)


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_everything_is_new_then_unchanged(tmp_path: Path) -> None:
    first = compiled(p__a="a", p__b="b")
    names = tuple(sorted(first.files))
    assert plan_changes(tmp_path, first) == Changes(new=names)
    assert write(tmp_path, first) == Changes(new=names)
    assert tree(tmp_path) == first.files
    assert plan_changes(tmp_path, first) == Changes(unchanged=names)
    assert plan_changes(tmp_path, first).up_to_date


def test_changed_and_removed_files_follow_the_notebook(tmp_path: Path) -> None:
    write(tmp_path, compiled(p__a="a", p__b="b"))
    second = compiled(p__a="a2", p__c="c")
    changes = write(tmp_path, second)
    assert changes == Changes(
        new=(f"{OUT}/p/c.py",),
        changed=(f"{OUT}/p/a.py", f"{OUT}/pipeline.yaml"),
        removed=(f"{OUT}/p/b.py",),
        unchanged=(WORKFLOW, f"{OUT}/requirements.lock"),
    )
    assert tree(tmp_path) == second.files


def test_hand_edited_files_are_named_and_kept(tmp_path: Path) -> None:
    write(tmp_path, compiled(p__a="a", p__b="b", p__gone="g"))
    for name in ("a", "gone"):
        (tmp_path / OUT / "p" / f"{name}.py").write_text("mine")
    before = tree(tmp_path)
    second = compiled(p__a="a2", p__b="b2")
    assert plan_changes(tmp_path, second).hand_edited == (f"{OUT}/p/a.py", f"{OUT}/p/gone.py")
    with pytest.raises(UsageError) as caught:
        write(tmp_path, second)
    assert str(caught.value) == (
        "edited by hand since they were generated: pipelines/p/p/a.py, pipelines/p/p/gone.py\n"
        "hint: move the edit into the notebook, or overwrite the files: nbmlops compile NOTEBOOK --force"
    )
    assert tree(tmp_path) == before
    write(tmp_path, second, force=True)
    assert tree(tmp_path) == second.files


def test_a_file_that_nbmlops_never_wrote_counts_as_edited(tmp_path: Path) -> None:
    (tmp_path / OUT / "p").mkdir(parents=True)
    (tmp_path / OUT / "p" / "a.py").write_text("mine")
    assert plan_changes(tmp_path, compiled(p__a="a")).hand_edited == (f"{OUT}/p/a.py",)


@pytest.mark.parametrize("text", ["# mine\n", "not a mapping", "schema: nbmlops/pipeline/9\n"])
def test_an_edited_document_counts_as_edited(tmp_path: Path, text: str) -> None:
    first = compiled(p__a="a")
    write(tmp_path, first)
    path = tmp_path / OUT / "pipeline.yaml"
    path.write_text(path.read_text() + text if text.startswith("#") else text)
    assert f"{OUT}/pipeline.yaml" in plan_changes(tmp_path, compiled(p__a="a2")).hand_edited


def test_line_ends_of_another_system_are_no_edit(tmp_path: Path) -> None:
    write(tmp_path, compiled(p__a="a\nb\n"))
    path = tmp_path / OUT / "p" / "a.py"
    path.write_bytes(b"a\r\nb\r\n")
    assert plan_changes(tmp_path, compiled(p__a="c\n")).changed == (f"{OUT}/p/a.py", f"{OUT}/pipeline.yaml")


def test_the_lock_is_never_an_edit(tmp_path: Path) -> None:
    first = compiled(p__a="a")
    write(tmp_path, first)
    (tmp_path / OUT / "requirements.lock").write_text("pandas==3.0\n")
    assert plan_changes(tmp_path, first).changed == (f"{OUT}/requirements.lock",)


def test_a_recorded_path_that_leads_elsewhere_is_never_removed(tmp_path: Path) -> None:
    root = tmp_path / "project"
    victims = [tmp_path / "outside.py", root / "mine.py", root / ".github" / "dependabot.yml"]
    for victim in victims:
        victim.parent.mkdir(parents=True, exist_ok=True)
        victim.write_text("x")
    digest = str(digest_bytes(b"x"))
    pipeline = compiled().pipeline
    assert pipeline is not None
    paths = ["../../../outside.py", "../../mine.py", "../../.github/dependabot.yml", str(victims[0])]
    (root / OUT).mkdir(parents=True)
    (root / OUT / "pipeline.yaml").write_bytes(pipeline_to_yaml(pipeline, dict.fromkeys(paths, digest)))
    write(root, compiled(p__a="a"))
    assert [victim.read_text() for victim in victims] == ["x", "x", "x"]


def test_when_writing_fails_everything_is_as_before(tmp_path: Path) -> None:
    write(tmp_path, compiled(p__a="a", p__z="z"))
    (tmp_path / OUT / "p" / "m.py").mkdir()
    before = tree(tmp_path)
    with pytest.raises(UsageError, match="is a folder, but a generated file belongs there"):
        write(tmp_path, compiled(p__a="a2", p__m="m", p__z="z2"))
    assert tree(tmp_path) == before


def test_an_error_in_the_middle_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, compiled(p__a="a", p__z="z"))
    before = tree(tmp_path)
    real = os.replace
    calls: list[str] = []

    def failing(self: Path, target: Path) -> Path:
        calls.append(Path(target).name)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        real(self, target)
        return Path(target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(EnvironmentFault, match="No space left on device"):
        write(tmp_path, compiled(p__a="a2", p__b="b2", p__z="z2"))
    assert tree(tmp_path) == before


def test_a_folder_that_is_not_writable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pipelines"
    folder.mkdir(mode=0o555)
    # To root, who runs tests in containers, every folder is writable.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder)
    with pytest.raises(EnvironmentFault) as caught:
        write(tmp_path, compiled(p__a="a"))
    assert str(caught.value) == (
        f"the folder {folder} is not writable\nhint: make it writable, or choose another: -o DIR"
    )
    assert tree(tmp_path) == {}


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "pipelines").write_text("a file")
    with pytest.raises(UsageError, match="pipelines is a file, but a folder belongs there"):
        write(tmp_path, compiled(p__a="a"))
    assert tree(tmp_path) == {"pipelines": b"a file"}
