import errno
import os
from pathlib import Path

import pytest

from nbmlops.core import documents
from nbmlops.core.documents import read_json_document, write_atomically, write_json_document
from nbmlops.core.errors import EnvironmentFault, UsageError


def test_a_document_comes_back_as_it_was_written(tmp_path: Path) -> None:
    document = {"schema": "x/1", "b": [1, 2.5, "é", "\ud800"], "a": None}
    write_json_document(tmp_path / "deep" / "x.json", document)
    assert read_json_document(tmp_path / "deep" / "x.json", "x/1") == document
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "x.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"schema": "x/2"}', "has schema 'x/2', but this version of nbmlops reads 'x/1'"),
        (b"[]", "has schema None, but this version of nbmlops reads 'x/1'"),
        (b'{"schema": ', "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
    ],
)
def test_a_document_of_another_kind_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_json_document(path, "x/1")


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"x\.json does not exist"):
        read_json_document(tmp_path / "x.json", "x/1")


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"old")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents.os, "fsync", no_space)
    with pytest.raises(EnvironmentFault, match="No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_scratch_file_is_written_whole_and_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []
    monkeypatch.setattr(documents.os, "fsync", waited.append)
    write_atomically(tmp_path / "x", b"new", lasting=False)
    assert ({path.name: path.read_bytes() for path in tmp_path.iterdir()}, waited) == ({"x": b"new"}, [])


def test_a_folder_that_is_a_file_is_an_environment_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="cannot write"):
        write_atomically(tmp_path / "file" / "x", b"")


def test_modes_can_be_private(tmp_path: Path) -> None:
    write_atomically(tmp_path / "x", b"", mode=0o600)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_the_file_is_on_the_disk_before_it_has_its_name_and_then_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []

    def sync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        synced.append(("folder" if path == tmp_path else path.name[:3], (tmp_path / "x").exists()))

    monkeypatch.setattr(documents.os, "fsync", sync)
    write_atomically(tmp_path / "x", b"new")
    assert synced == [(".x.", False), ("folder", True)]


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EIO])
def test_a_file_system_need_not_know_how_to_sync_folders_but_a_broken_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def sync(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").readlink() == tmp_path:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(documents.os, "fsync", sync)
    if code == errno.EIO:
        with pytest.raises(EnvironmentFault, match="Input/output error"):
            write_atomically(tmp_path / "x", b"new")
    else:
        write_atomically(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"new"
