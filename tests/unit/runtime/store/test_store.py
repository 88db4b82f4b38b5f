from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nbmlops.core.errors import EnvironmentFault
from nbmlops.runtime.store.store import DamagedObject, ObjectRef, Store


def object_path(store: Store, ref: ObjectRef) -> Path:
    return store.folder / ref.digest[:2] / ref.digest[2:]


def test_bytes_come_back_whole_and_equal_bytes_are_kept_once(tmp_path: Path) -> None:
    store = Store(tmp_path / ".nbmlops" / "store")
    ref = store.put([b"ab", memoryview(b"cd")])
    assert store.put([b"abcd"]) == ref
    assert (ref.size, store.has(ref), store.read(ref), bytes(store.open_private(ref))) == (4, True, b"abcd", b"abcd")
    assert [path.name for path in store.folder.rglob("*") if path.is_file()] == [ref.digest[2:]]


def test_nothing_is_readable_by_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(tmp_path / ".nbmlops" / "store")
        ref = store.put([b"secret"])
    finally:
        os.umask(before)
    path = object_path(store, ref)
    modes = [place.stat().st_mode & 0o777 for place in (path, path.parent, store.folder, store.folder.parent)]
    assert modes == [0o600, 0o700, 0o700, 0o700]


def test_changes_in_a_private_view_stay_in_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ref = store.put([b"abcd"])
    view = store.open_private(ref)
    view[0:1] = b"X"
    assert bytes(view) == b"Xbcd"
    assert store.read(ref) == b"abcd"


@pytest.mark.parametrize("content", [b"abcX", b"abc", b"", b"abcde"])
def test_a_changed_object_is_put_aside_and_counts_as_missing(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    ref = store.put([b"abcd"])
    object_path(store, ref).write_bytes(content)
    with pytest.raises(DamagedObject, match=r"was changed|is missing, empty"):
        store.open_private(ref)
    assert not store.has(ref)
    assert [path.read_bytes() for path in (tmp_path / "quarantine").iterdir()] == [content]
    with pytest.raises(DamagedObject, match="missing or unreadable"):
        store.read(ref)
    assert store.put([b"abcd"]) == ref
    assert store.read(ref) == b"abcd"


def test_a_folder_in_the_place_of_an_object_is_put_aside(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ref = store.put([b"abcd"])
    object_path(store, ref).unlink()
    object_path(store, ref).mkdir()
    assert not store.has(ref)
    with pytest.raises(DamagedObject):
        store.verify(ref)
    assert store.put([b"abcd"]) == ref
    assert store.read(ref) == b"abcd"


def test_a_store_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="cannot write to the store"):
        Store(tmp_path / "file" / "store").put([b"x"])


def test_an_object_that_another_run_puts_aside_at_the_same_time_is_damaged_all_the_same(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ref = store.put([b"abcd"])
    object_path(store, ref).unlink()
    object_path(store, ref).symlink_to("gone")
    with pytest.raises(DamagedObject):
        store.read(ref)


def test_a_damaged_object_that_cannot_be_put_aside_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ref = store.put([b"abcd"])
    object_path(store, ref).write_bytes(b"abce")
    (tmp_path / "quarantine").write_text("")
    with pytest.raises(EnvironmentFault, match=r"cannot put the damaged object .* aside"):
        store.read(ref)


def test_empty_bytes_are_an_object_like_others(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ref = store.put([])
    assert (ref.size, store.read(ref), len(store.open_private(ref))) == (0, b"", 0)


def large() -> list[bytes | memoryview]:
    """Returns parts that are written and read in several pieces."""
    content = bytes(range(256)) * 140_000  # 36 MB
    return [b"head", memoryview(content), b"", content[:1000], memoryview(content)[5:], b"tail"]


def test_large_objects_come_back_whole(tmp_path: Path) -> None:
    store, content = Store(tmp_path), b"".join(large())
    ref = store.put(large())
    assert ref.size == len(content)
    assert object_path(store, ref).stat().st_size == len(content)
    assert (store.read(ref), store.open_once(ref).read(), bytes(store.open_private(ref))) == (content,) * 3
    store.verify(ref)


@pytest.mark.parametrize("cut", [0, -1, 5 << 20])
def test_large_objects_are_checked_before_they_are_read(tmp_path: Path, cut: int) -> None:
    store = Store(tmp_path)
    for use in (store.open_once, store.verify, store.open_private, store.read):
        ref = store.put(large())
        content = object_path(store, ref).read_bytes()
        changed = content[:cut] if cut > 0 else content[:-1] + b"X" if cut else content + b"more"
        object_path(store, ref).write_bytes(changed)
        with pytest.raises(DamagedObject, match="was changed after it was written"):
            use(ref)
        assert not store.has(ref)


def test_a_file_system_that_reserves_no_blocks_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(handle: int, offset: int, size: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    store = Store(tmp_path)
    assert store.read(store.put(large())) == b"".join(large())


def test_a_disk_that_is_too_small_is_named_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(EnvironmentFault, match=r"cannot write to the store .*No space left"):
        Store(tmp_path / "store").put(large())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_object_is_checked_again_when_its_file_was_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    ref = store.put([b"abcd"])
    store.verify(ref)
    path = object_path(store, ref)
    with monkeypatch.context() as nobody:
        nobody.setattr(Store, "_read_checked", None)
        store.verify(ref)
    before = path.stat()
    path.write_bytes(b"abcX")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DamagedObject, match="was changed"):
        store.verify(ref)
    with pytest.raises(DamagedObject, match="missing"):
        store.verify(ref)
