import subprocess
from pathlib import Path

import pytest

from nbmlops.app.data.add import add_data
from nbmlops.data.describe import describe
from nbmlops.data.versions import versions
from nbmlops.data.versions.versions import version_of

TABLE = Path(__file__).parents[3] / "golden" / "delta" / "table"
OID = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A DVC repository with a file and a folder."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "data" / "folder").mkdir(parents=True)
    (tmp_path / "data" / "one.csv").write_text("1\n")
    (tmp_path / "data" / "folder" / "two.csv").write_text("2\n")
    for name in ("data/one.csv", "data/folder"):
        add_data(Path(name), tmp_path, init=True)
    return tmp_path


def test_what_nobody_keeps_versions_of(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    assert (version_of(tmp_path / "a.csv"), version_of(tmp_path), version_of(tmp_path / "no")) == ({}, {}, {})


def test_dvc_pointers(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = {"dvc_file": "data/one.csv.dvc", "dvc_data_hash": "b026324c6904b2a9cb4b88d6d61c81d1", "dvc_state": "same"}
    assert version_of(root / "data" / "one.csv") == one
    monkeypatch.chdir(root / "data")
    assert version_of(Path("one.csv")) == one
    folder = version_of(root / "data" / "folder")
    assert (folder["dvc_file"], folder["dvc_data_hash"][-4:], folder["dvc_state"]) == (
        "data/folder.dvc", ".dir", "same size",
    )  # fmt: skip
    assert version_of(root / "data" / "folder" / "two.csv") == folder
    assert dict(describe(root / "data" / "one.csv", "one").version) == one


def test_data_that_changed_since_is_not_taken_for_its_version(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("one.csv", "3\n"), ("folder/two.csv", "22\n")):
        (root / "data" / name).write_text(text)
        assert version_of(root / "data" / name)["dvc_state"] == "changed"
    monkeypatch.setattr(versions, "_SMALL", 1)
    assert version_of(root / "data" / "one.csv")["dvc_state"] == "same size"
    (root / "data" / "one.csv.dvc").write_text("outs: [")
    assert version_of(root / "data" / "one.csv") == {"dvc_file": "data/one.csv.dvc", "dvc_state": "unreadable"}


def test_git_lfs(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True, capture_output=True)

    data = tmp_path / "a b.bin"
    data.write_text(LFS)
    assert version_of(data) == {"git_lfs_oid": f"sha256:{OID}"}
    # What git-lfs does when it is installed: the index has the pointer, the folder has the data.
    git("init", "-q")
    git("config", "filter.lfs.clean", f"printf '{LFS}'".replace("\n", "\\n"))
    (tmp_path / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    data.write_bytes(b"pulled")
    git("add", ".")
    assert version_of(data) == {"git_lfs_oid": f"sha256:{OID}"}
    git("config", "filter.lfs.clean", "cat")
    data.write_bytes(b"changed data")
    assert version_of(data) == {}


def test_delta_tables(tmp_path: Path) -> None:
    identity = "44664773-5cd1-40d7-a1bf-802277d263b8"
    assert version_of(TABLE) == {"delta_version": "2", "delta_table_id": identity}
    assert version_of(TABLE / "part-0.parquet") == {"delta_version": "2", "delta_table_id": identity}
    log = tmp_path / "_delta_log"
    log.mkdir()
    (log / "00000000000000000010.checkpoint.0000000001.0000000002.parquet").touch()
    (log / "00000000000000000009.json").write_text("no json\n[1]\n{}\n")
    assert version_of(tmp_path) == {"delta_version": "10"}


def test_lakefs(tmp_path: Path) -> None:
    file = tmp_path / ".lakefs_ref.yaml"
    file.write_text('src: lakefs://repo/main/data/\nat_head: 0f1e\nactive_operation: ""\n')
    (tmp_path / "sub").mkdir()
    assert version_of(tmp_path / "sub") == {"lakefs_uri": "lakefs://repo/main/data/", "lakefs_commit": "0f1e"}
    file.write_text("src: elsewhere\n")
    assert version_of(tmp_path) == {}
