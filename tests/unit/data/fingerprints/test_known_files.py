import os
import time
from pathlib import Path

import pytest

from nbmlops.core.errors import UsageError
from nbmlops.data.fingerprints import known_files
from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.data.fingerprints.known_files import KnownFiles

LATER = 10**10


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were really read."""
    seen: list[Path] = []

    def read(path: Path) -> str:
        seen.append(path)
        return fingerprint_file(path)

    monkeypatch.setattr(known_files, "LEAST_BYTES", 4)
    monkeypatch.setattr(known_files, "fingerprint_file", read)
    return seen


@pytest.fixture
def known(tmp_path: Path) -> KnownFiles:
    return KnownFiles(tmp_path / "state" / "files.json", lambda: time.time_ns() + LATER)


def test_a_file_that_did_not_change_is_read_once(tmp_path: Path, reads: list[Path], known: KnownFiles) -> None:
    path = tmp_path / "data"
    path.write_text("12345")
    assert {known.digest(path) for _ in range(3)} == {fingerprint_file(path)}
    assert reads == [path]


def test_every_change_is_noticed(tmp_path: Path, reads: list[Path], known: KnownFiles) -> None:
    path = tmp_path / "data"
    path.write_text("12345")
    known.digest(path)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_text("54321")
    os.utime(path, ns=times)  # as if nobody had touched it
    assert known.digest(path) == fingerprint_file(path)
    other = tmp_path / "other"
    other.write_text("abcde")
    other.replace(path)
    assert known.digest(path) == fingerprint_file(path)
    assert len(reads) == 3


def test_what_changed_just_now_is_not_remembered(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "data"
    path.write_text("12345")
    known = KnownFiles(tmp_path / "files.json")
    assert known.digest(path) == known.digest(path)
    assert len(reads) == 2


def test_small_files_folders_and_what_is_not_there(tmp_path: Path, reads: list[Path], known: KnownFiles) -> None:
    path = tmp_path / "data"
    path.write_text("1")
    assert known.digest(path) == known.digest(path) == fingerprint_file(path)
    assert known.digest(tmp_path) == fingerprint_file(tmp_path)
    assert len(reads) == 3
    with pytest.raises(UsageError, match="does not exist"):
        known.digest(tmp_path / "nothing")


@pytest.mark.parametrize("content", ["no JSON", '{"schema": "nbmlops/known-files/1", "files": {"x": 1}}', "{}"])
def test_a_broken_memory_costs_time_only(tmp_path: Path, reads: list[Path], content: str) -> None:
    memory, path = tmp_path / "files.json", tmp_path / "data"
    memory.write_text(content)
    path.write_text("12345")
    known = KnownFiles(memory, lambda: time.time_ns() + LATER)
    assert known.digest(path) == known.digest(path) == fingerprint_file(path)
    assert len(reads) == 1


def test_a_memory_that_cannot_be_written_costs_time_only(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "data"
    path.write_text("12345")
    known = KnownFiles(path / "below a file" / "files.json", lambda: time.time_ns() + LATER)
    assert known.digest(path) == known.digest(path) == fingerprint_file(path)
    assert len(reads) == 2
