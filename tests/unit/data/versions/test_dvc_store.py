import hashlib
import os
import time
from pathlib import Path

import pytest

from nbmlops.core.errors import EnvironmentFault
from nbmlops.data.versions import dvc_store
from nbmlops.data.versions.dvc_pointer import Pointer
from nbmlops.data.versions.dvc_store import add_to_cache, object_path


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def everything(cache: Path) -> set[str]:
    return {path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file()}


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_a_file_is_in_the_cache_under_its_hash(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    assert add_to_cache(tmp_path / "file", tmp_path / "c") == Pointer("file", md5(data), size)
    assert object_path(tmp_path / "c", md5(data)).read_bytes() == data
    assert len(everything(tmp_path / "c")) == 1


def test_a_file_that_changes_while_it_is_read_is_not_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a" * 100)

    class Writer:
        """A hasher during whose work somebody else writes one more byte, once."""

        def __init__(self) -> None:
            self._hasher = hashlib.md5(usedforsecurity=False)

        def update(self, chunk: bytes) -> None:
            self._hasher.update(chunk)
            if file.stat().st_size == 100:
                with file.open("ab") as stream:
                    stream.write(b"b")

        def hexdigest(self) -> str:
            return self._hasher.hexdigest()

    monkeypatch.setattr(dvc_store, "_md5", Writer)
    monkeypatch.setattr(dvc_store, "_clone", lambda *_: False)
    with pytest.raises(EnvironmentFault, match="changed while it was being read"):
        add_to_cache(file, tmp_path / "c")
    assert everything(tmp_path / "c") == set()


def test_a_fault_in_a_folder_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("1")
    (tmp_path / "folder" / "b").write_text("2")
    real = dvc_store._staged

    def failing(path: Path, cache: Path, known: str) -> dvc_store.Staged:
        if path.name == "b":
            raise OSError(28, "No space left on device", str(path))
        return real(path, cache, known)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dvc_store, "_staged", failing)
        with pytest.raises(EnvironmentFault, match="No space left on device"):
            add_to_cache(tmp_path / "folder", tmp_path / "c")
    assert everything(tmp_path / "c") == set()


def test_many_small_files(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for number in range(120):
        (tmp_path / "folder" / str(number)).write_text(str(number % 100))
    pointer = add_to_cache(tmp_path / "folder", tmp_path / "c")
    assert (pointer.size, pointer.files, len(everything(tmp_path / "c"))) == (220, 120, 101)


def test_an_object_that_is_too_short_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"whole")
    place = object_path(tmp_path / "c", md5(b"whole"))
    place.parent.mkdir(parents=True)
    place.write_bytes(b"wh")
    add_to_cache(tmp_path / "file", tmp_path / "c")
    assert place.read_bytes() == b"whole"


def test_what_killed_processes_left_goes_after_a_day(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    for name, age in ((".nbmlops-old", 2 * 86400), (".nbmlops-new", 0)):
        (tmp_path / "c" / name).write_text("half")
        os.utime(tmp_path / "c" / name, (time.time() - age,) * 2)
    (tmp_path / "file").write_bytes(b"1")
    add_to_cache(tmp_path / "file", tmp_path / "c")
    assert {name for name in everything(tmp_path / "c") if name.startswith(".")} == {".nbmlops-new"}
