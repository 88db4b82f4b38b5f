from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from nbmlops.app.gc import collect_garbage
from nbmlops.cli.commands.gc import sized
from nbmlops.cli.main import cli
from nbmlops.core.errors import UsageError
from nbmlops.runtime.store import Store


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
            {"kind": "damaged", "files": 0, "bytes": 0},
            {"kind": "leftover", "files": 0, "bytes": 0},
        ],
        "registered_runs": 0,
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
