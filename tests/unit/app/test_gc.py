from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from nbmlops.app.gc import CONFIGURED, collect_garbage, collect_store_garbage
from nbmlops.cli.commands.gc import sized
from nbmlops.cli.main import cli
from nbmlops.core.errors import UsageError
from nbmlops.runtime.reuse.plan import step_key
from nbmlops.runtime.reuse.records import CacheRecord, KeyParts, StepOutcome
from nbmlops.runtime.store.shared_store import SharedStore
from nbmlops.runtime.store.store import Store
from nbmlops.runtime.store.stored import Codec, StoredValue


def project(tmp_path: Path) -> Store:
    (tmp_path / "nbmlops.toml").write_text("")
    store = Store(tmp_path / ".nbmlops" / "store")
    store.put([b"x" * 2000])
    for path in store.folder.rglob("*"):
        os.utime(path, (0, 0))
    return store


def objects(store: Store) -> int:
    return sum(path.is_file() for path in store.folder.rglob("*"))


def test_it_shows_first_and_removes_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = project(tmp_path)
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(cli, ["gc"])
    assert (shown.exit_code, objects(store)) == (0, 1)
    assert shown.output == (
        "nothing needs these\n"
        "  what                                 files     size\n"
        "  values that no kept record mentions      1  2.0 KiB\n\n"
        "2.0 KiB can go; to remove it, call the same with --yes\n"
    )
    told = CliRunner().invoke(cli, ["gc", "--yes", "--format", "json"])
    assert json.loads(told.stdout) == {
        "schema": "nbmlops/gc/1",
        "removed": True,
        "bytes": 2000,
        "counts": [
            {"kind": "record", "files": 0, "bytes": 0},
            {"kind": "object", "files": 1, "bytes": 2000},
            {"kind": "predictions", "files": 0, "bytes": 0},
            {"kind": "damaged", "files": 0, "bytes": 0},
            {"kind": "broken", "files": 0, "bytes": 0},
            {"kind": "leftover", "files": 0, "bytes": 0},
        ],
        "registered_runs": 0,
        "store": "",
        "busy": [],
        "diagnostics": [],
    }
    assert objects(store) == 0
    assert CliRunner().invoke(cli, ["gc"]).output == "there is nothing to remove\n"


@pytest.mark.parametrize("age", ["30", "d", "30 days", "-3d"])
def test_an_age_that_is_none_is_refused(tmp_path: Path, age: str) -> None:
    with pytest.raises(UsageError, match="is no age"):
        collect_garbage(tmp_path, None, age, remove=False)


def test_sizes_are_told_for_people() -> None:
    assert [sized(number) for number in (0, 1023, 1024, 1536, 5 * 1024**3)] == [
        "0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 GiB",
    ]  # fmt: skip


def shared_store(folder: Path, *, days: float) -> str:
    for number in (1, 2):
        parts = KeyParts(f"code {number}", {}, {}, {}, {})
        here = Store(folder.parent / "here")
        value = StoredValue("x", Codec.JSON, here.put([b"a text" * number]), "f", "str")
        record = CacheRecord(
            "load", step_key("load", parts), parts, StepOutcome((value,)), run=f"2026010{number}T000000Z-a"
        )
        SharedStore(folder.as_uri()).push("tea", record, [value.ref], here)
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - days * 86400,) * 2)
    return folder.as_uri()


def test_a_shared_store_is_cleaned_by_its_address_or_that_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path)
    monkeypatch.chdir(tmp_path)
    address = shared_store(tmp_path / "shared", days=40)
    (size,) = {path.stat().st_size for path in (tmp_path / "shared/records").rglob("*.json") if "0101" in path.name}
    told = (
        f"nothing needs these in {address}\n"
        "  what                                 files   size\n"
        f"  records of runs that are not kept        1  {sized(size)}\n"
        "  values that no kept record mentions      1    6 B\n\n"
        f"{sized(size + 6)} can go; to remove it, call the same with --yes\n"
    )
    assert CliRunner().invoke(cli, ["gc", "--store", "shared", "--older-than", "39d"]).output == told
    assert CliRunner().invoke(cli, ["gc", "--store", "shared", "--older-than", "41d"]).output == (
        "there is nothing to remove\n"
    )
    with pytest.raises(UsageError, match="the configuration names no shared store"):
        collect_store_garbage(tmp_path, CONFIGURED, None, "", remove=False)
    (tmp_path / "nbmlops.toml").write_text('[run]\nstore = "shared"')
    assert CliRunner().invoke(cli, ["gc", "--store"]).output == told
    gone = CliRunner().invoke(cli, ["gc", "--store", "--yes", "--format", "json"])
    assert (json.loads(gone.stdout)["store"], json.loads(gone.stdout)["bytes"]) == (address, size + 6)
    assert sum(path.is_file() for path in (tmp_path / "shared").rglob("*")) == 2
    assert objects(Store(tmp_path / ".nbmlops" / "store")) == 1  # the project's own is another matter
    with pytest.raises(UsageError, match="in the last 48 hours may be in use"):
        collect_store_garbage(tmp_path, "shared", None, "36h", remove=False)
