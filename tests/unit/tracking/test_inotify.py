from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbmlops.tracking.inotify import FolderWatch, Opened, folders_below

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux'")


@pytest.fixture
def watch() -> Iterator[FolderWatch]:
    watch = FolderWatch()
    yield watch
    watch.close()


@linux
def test_what_happens_to_files_is_told_once(watch: FolderWatch, tmp_path: Path):
    (tmp_path / "old.txt").write_text("x")
    assert watch.add([str(tmp_path)])
    (tmp_path / "old.txt").read_text()
    (tmp_path / "new.txt").write_text("y")
    with (tmp_path / "old.txt").open("r+") as both:
        both.read()
    expected = {
        Opened(str(tmp_path / "old.txt"), read=True, written=False),
        Opened(str(tmp_path / "new.txt"), read=False, written=True, made=True),
    }
    assert set(watch.take()) == expected
    assert watch.take() == ()
    with (tmp_path / "old.txt").open("a") as end:
        end.write("z")
    assert watch.take() == (Opened(str(tmp_path / "old.txt"), read=False, written=True),)


@linux
def test_folders_that_are_not_there_cannot_be_watched(watch: FolderWatch, tmp_path: Path):
    assert not watch.add([str(tmp_path), str(tmp_path / "none")])
    assert (watch.watches(str(tmp_path)), watch.watches(str(tmp_path / "none"))) == (True, False)


@linux
def test_more_than_the_system_remembers_is_told(watch: FolderWatch, tmp_path: Path):
    watch.add([str(tmp_path)])
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 20_000:
        pytest.skip("this system remembers too much to be overrun quickly")
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_text("")
    for number in range(most):
        os.close(os.open(paths[number % 2], os.O_RDONLY))
    watch.take()
    assert watch.lost


def test_a_closed_watch_tells_nothing(watch: FolderWatch, tmp_path: Path):
    watch.add([str(tmp_path)])
    watch.close()
    (tmp_path / "a").write_text("")
    assert (watch.take(), watch.add([str(tmp_path)])) == ((), False)


def test_folders_of_tools_are_left_out(tmp_path: Path):
    for name in ("data/deep", ".git", "node_modules/x", "env"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    expected = tuple(str(tmp_path / name) for name in ("", "data", "data/deep"))
    assert folders_below(tmp_path, 10) == (expected, True)
    assert folders_below(tmp_path, 2) == (expected[:2], False)
