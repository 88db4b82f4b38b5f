from __future__ import annotations

import os
from pathlib import Path

from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.runtime.reuse.files import UNREADABLE, code_state, current_digest, file_state, shown
from nbmlops.runtime.reuse.records import FileState

SECOND = 10**9


def test_an_old_file_is_not_read_again_a_fresh_one_is(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("one")
    changed = path.stat().st_ctime_ns
    digest = fingerprint_file(path)
    old = file_state(path, changed + 3 * SECOND)
    assert old == FileState(digest, 3, changed)
    assert file_state(path, changed + 1) == FileState(digest, 3, 0)
    assert current_digest(path, FileState("recorded", 3, changed)) == "recorded"
    assert current_digest(path, FileState("recorded", 3, 0)) == digest


def test_equal_size_and_time_of_modification_do_not_hide_a_change(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("one")
    before = path.stat()
    old = file_state(path, before.st_ctime_ns + 3 * SECOND)
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert current_digest(path, old) == fingerprint_file(path) != old.digest


def test_absent_unreadable_and_touched_files(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    assert file_state(path, 0) == FileState("")
    assert current_digest(path, FileState("12", 1, 1)) == ""
    path.write_text("one")
    state = file_state(path, path.stat().st_ctime_ns + 3 * SECOND)
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


def test_of_an_imported_module_only_the_code_counts(tmp_path: Path) -> None:
    path = tmp_path / "near.py"
    path.write_text("def f(x):\n    return x + 1\n")
    state = code_state(path, 0)
    path.write_text("# one more\ndef f( x ):\n\n    return (x + 1)  # at last\n")
    assert current_digest(path, state) == state.digest
    path.write_text("def f(x):\n    return x + 2\n")
    assert current_digest(path, state) not in {state.digest, ""}
    path.write_bytes(b"# -*- coding: latin-1 -*-\nx = '\xe9'\n")
    latin = code_state(path, 0)
    path.write_text("x = 'é'\n")
    assert current_digest(path, latin) == latin.digest
    path.write_text("def (")
    broken = code_state(path, 0)
    path.write_text("def  (")
    assert current_digest(path, broken) != broken.digest
    path.unlink()
    assert current_digest(path, broken) == ""
