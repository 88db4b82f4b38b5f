import os
from collections.abc import Callable
from pathlib import Path

import blake3
import pytest
import xxhash

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.data.fingerprints import files
from nbmlops.data.fingerprints.files import fingerprint_file


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 7])
def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    path = tmp_path / "x"
    path.write_bytes(data)
    assert fingerprint_file(path) == xxhash.xxh3_128_hexdigest(data)
    assert fingerprint_file(str(path), "blake3") == blake3.blake3(data).hexdigest()


def make_folder(folder: Path) -> Path:
    (folder / "sub" / "empty").mkdir(parents=True)
    (folder / "a.csv").write_text("1")
    (folder / "sub" / "b.csv").write_text("2")
    (folder / "sub" / "up").symlink_to("..")
    return folder


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda folder: (folder / "sub" / "b.csv").write_text("3"),
    "name": lambda folder: (folder / "a.csv").rename(folder / "c.csv"),
    "place": lambda folder: (folder / "a.csv").rename(folder / "sub" / "a.csv"),
    "new file": lambda folder: (folder / "new").touch(),
    "file gone": lambda folder: (folder / "a.csv").unlink(),
    "empty folder gone": lambda folder: (folder / "sub" / "empty").rmdir(),
    "folder becomes file": lambda folder: ((folder / "sub" / "empty").rmdir(), (folder / "sub" / "empty").touch()),
    "link": lambda folder: ((folder / "sub" / "up").unlink(), (folder / "sub" / "up").symlink_to(".")),
}


@pytest.mark.parametrize("algorithm", ["xxh3", "blake3"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_in_a_folder_is_noticed(tmp_path: Path, name: str, algorithm: files.Algorithm) -> None:
    folder = make_folder(tmp_path / "x")
    before = fingerprint_file(folder, algorithm)
    assert fingerprint_file(make_folder(tmp_path / "y"), algorithm) == before
    os.utime(folder / "a.csv", (1, 1))
    assert fingerprint_file(folder, algorithm) == before
    CHANGES[name](folder)
    assert fingerprint_file(folder, algorithm) != before


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.csv does not exist"):
        fingerprint_file(tmp_path / "nothing.csv")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(UsageError, match="pipe is neither a file nor a folder"):
            fingerprint_file(path)


def test_a_broken_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(UsageError, match="link is neither a file nor a folder"):
        fingerprint_file(tmp_path)


def test_a_name_that_no_file_can_have_is_a_fault_of_the_environment(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="File name too long"):
        fingerprint_file(tmp_path / ("x" * 5000))


def test_a_file_that_grows_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1")
    real = os.fstat

    def grow(handle: int) -> os.stat_result:
        result = real(handle)
        with path.open("ab") as stream:
            stream.write(b"2")
        return result

    monkeypatch.setattr(files.os, "fstat", grow)
    with pytest.raises(EnvironmentFault, match="changed while it was being read"):
        fingerprint_file(path)
