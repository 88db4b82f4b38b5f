from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbmlops.core.errors import EnvironmentFault
from nbmlops.runtime.store import DamagedObject, ObjectRef, Store


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
