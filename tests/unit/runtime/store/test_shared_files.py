from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.runtime.store.shared_files import Entry, SharedFiles, address_of, shown


def test_addresses(tmp_path: Path) -> None:
    assert [address_of(text, tmp_path) for text in ("s3://bucket/a", "shared", "/else/where")] == [
        "s3://bucket/a", (tmp_path / "shared").as_uri(), "file:///else/where",
    ]  # fmt: skip
    assert shown("sftp://me@host/a?sig=secret") == "sftp://host/a"
    with pytest.raises(UsageError, match=r"holds a password: s3://bucket/a\n") as told:
        address_of("s3://key:secret@bucket/a", tmp_path)
    assert "secret" not in str(told.value)


def test_a_missing_package_is_named() -> None:
    import fsspec

    missing = {"class": "absent_nbmlops.Files", "err": "install absent"}
    fsspec.register_implementation("absent-nbmlops", missing["class"], errtxt=missing["err"])
    with pytest.raises(EnvironmentFault, match="a shared store at absent-nbmlops:// needs a package: install absent"):
        SharedFiles("absent-nbmlops://there").entry("x")


def test_files_are_listed_with_sizes_and_times_by_paths_from_the_address(tmp_path: Path) -> None:
    files = SharedFiles(address_of("a folder/shared", tmp_path))
    assert (files.below("records"), files.sizes("records"), files.entry("records/x")) == ({}, {}, None)
    files.write("records/tea/x", b"1234")
    files.write("records/y", b"")
    os.utime(tmp_path / "a folder/shared/records/tea/x", (7, 7))
    found = files.below("records")
    assert (found["records/tea/x"], list(found)) == (Entry(4, 7.0), ["records/tea/x", "records/y"])
    assert (files.sizes("records"), files.read("records/tea/x"), files.read("records/z")) == ({"y": 0}, b"1234", b"")
    for _ in range(2):
        files.remove("records/tea/x")
    assert list(files.below("records")) == ["records/y"]


def test_a_store_in_memory_tells_its_times(tmp_path: Path) -> None:
    files = SharedFiles(f"memory://{tmp_path.name}/shared")
    files.write("objects/ab/cd", b"1")
    ((path, entry),) = files.below("objects").items()
    assert (path, entry.size, entry.changed == files.entry(path).changed) == ("objects/ab/cd", 1, True)  # type: ignore[union-attr]  # it is there
