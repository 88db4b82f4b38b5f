from __future__ import annotations

import glob
import importlib.metadata
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbmlops.runtime.steps.listings import Listing, Question, answer, asked, found_natively, relative


class _Hook:
    """One hook for all tests, for it cannot be removed."""

    def __init__(self) -> None:
        self.seen: list[Listing] | None = None
        sys.addaudithook(self.event)

    def event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.seen is not None:
            listing = asked(event, arguments)
            self.seen += [listing] if listing else []


@pytest.fixture(scope="module")
def hook() -> _Hook:
    return _Hook()


def test_each_way_to_ask_is_understood_once(tmp_path: Path, hook: _Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    here, data = str(tmp_path), str(tmp_path / "data")
    ways: dict[Callable[[], object], Listing] = {
        lambda: list(Path("data").glob("*.csv")): Listing(Question.PATH_GLOB, data, "*.csv"),
        lambda: list(Path("data").rglob("*.csv")): Listing(Question.PATH_GLOB, data, "**/*.csv"),
        lambda: glob.glob("data/*.csv"): Listing(Question.GLOB, here, "data/*.csv"),  # noqa: PTH207 - under test
        lambda: glob.glob("**", recursive=True): Listing(Question.RECURSIVE_GLOB, here, "**"),  # noqa: PTH207 - what is tested
        lambda: os.listdir("data"): Listing(Question.NAMES, data),  # noqa: PTH208 - under test
        lambda: list(Path("data").iterdir()): Listing(Question.NAMES, data),
        lambda: list(os.walk("data")): Listing(Question.NAMES, data),
    }
    seen = []
    for way in ways:
        hook.seen = []
        way()
        seen.append(hook.seen)
        hook.seen = None
    # Since Python 3.13 `rglob` is told twice, once as the `glob` that it is made of.
    assert [set(found) for found in seen] == [{listing} for listing in ways.values()]


def test_looking_for_modules_is_no_question(hook: _Hook) -> None:
    hook.seen = []
    list(importlib.metadata.distributions())
    hook.seen, seen = None, hook.seen
    assert seen == []


def test_an_answer_changes_with_the_names_that_match_and_only_with_them(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.csv").write_text("1")
    listings = [
        Listing(Question.PATH_GLOB, "data", "*.csv"),
        Listing(Question.GLOB, "", "data/*.csv"),
        Listing(Question.RECURSIVE_GLOB, "", "**/*.csv"),
        Listing(Question.NAMES, "data"),
        Listing(Question.NAMES, ""),
    ]

    def answers() -> list[str]:
        return [answer(listing, tmp_path, [tmp_path / "pipelines"]) for listing in listings]

    before = answers()
    for name in (".nbmlops/a.csv", "runs/a.csv", "mlflow.db", "pipelines/a.csv", "data/__pycache__/a.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("ours")
    (data / "a.csv").write_text("2")
    assert answers() == before
    (data / "b.txt").write_text("")
    assert [now == then for now, then in zip(answers(), before, strict=True)] == [True, True, True, False, True]
    (data / "b.csv").write_text("")
    assert [now == then for now, then in zip(answers(), before, strict=True)] == [False, False, False, False, True]


def test_a_folder_that_is_gone_and_a_pattern_that_is_none_have_an_answer(tmp_path: Path) -> None:
    assert answer(Listing(Question.NAMES, "gone"), tmp_path, ()) == ""
    assert answer(Listing(Question.PATH_GLOB, "", "/absolute"), tmp_path, ()) == ""


def test_folders_are_named_from_the_root_on(tmp_path: Path) -> None:
    inside, outside = Listing(Question.NAMES, str(tmp_path / "data")), Listing(Question.NAMES, "/data")
    assert [relative(inside, tmp_path), relative(outside, tmp_path)] == [Listing(Question.NAMES, "data"), outside]


def test_what_stands_at_a_path(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("")
    (tmp_path / "runs").mkdir()
    os.mkfifo(tmp_path / "pipe")

    def kind(folder: str, name: str) -> str:
        return answer(Listing(Question.KIND, folder, name), tmp_path, (tmp_path / "pipelines",))

    found = [kind("data", "file"), kind(".", "data"), kind(".", "pipe"), kind("data", "absent"), kind(".", "runs")]
    assert found == ["file", "folder", "other", "", ""]


def test_files_that_libraries_read_past_python_are_found_again(tmp_path: Path) -> None:
    for name in ("a.parquet", "b.csv", "c.h5"):
        (tmp_path / name).write_text("")
    (tmp_path / "d.parquet").mkdir()
    asked_for = [Listing(Question.NAMES, str(tmp_path)), Listing(Question.PATH_GLOB, str(tmp_path), "*.h5")]
    assert [sorted(Path(path).name for path in found_natively(ask)) for ask in asked_for] == [
        ["a.parquet", "c.h5"],
        ["c.h5"],
    ]
    assert found_natively(Listing(Question.KIND, str(tmp_path), "a.parquet")) == []
    assert found_natively(Listing(Question.NAMES, str(tmp_path / "absent"))) == []
