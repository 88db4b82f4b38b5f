from __future__ import annotations

import os
from pathlib import Path

from nbmlops.data.files import fingerprint_file
from nbmlops.runtime.files import UNREADABLE, current_digest, file_state, shown
from nbmlops.runtime.records import FileState

SECOND = 10**9


def test_an_old_file_is_not_read_again_a_fresh_one_is(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("one")
    written = path.stat().st_mtime_ns
    digest = fingerprint_file(path)
    old = file_state(path, written + 3 * SECOND)
    fresh = file_state(path, written + 1)
    assert old == FileState(digest, 3, written)
    assert fresh == FileState(digest, 3, 0)

    path.write_text("two")
    os.utime(path, ns=(written, written))
    assert current_digest(path, old) == digest
    assert current_digest(path, fresh) == fingerprint_file(path) != digest


def test_absent_unreadable_and_touched_files(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    assert file_state(path, 0) == FileState("")
    assert current_digest(path, FileState("12", 1, 1)) == ""
    path.write_text("one")
    state = file_state(path, path.stat().st_mtime_ns + 3 * SECOND)
    os.utime(path, ns=(1, 1))
    assert current_digest(path, state) == state.digest
    os.mkfifo(tmp_path / "pipe")
    assert file_state(tmp_path / "pipe", 0) == FileState(UNREADABLE)


def test_a_folder_counts_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    state = file_state(tmp_path / "data", 0)
    (tmp_path / "data" / "new.csv").write_text("")
    assert current_digest(tmp_path / "data", state) != state.digest


def test_files_are_named_from_the_root_on(tmp_path: Path) -> None:
    assert shown(tmp_path / "a" / "x.csv", tmp_path) == "a/x.csv"
    assert shown(Path("/data/x.csv"), tmp_path) == "/data/x.csv"
