"""What `nbmlops data add` writes, used by the real DVC in an environment of its own."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from nbmlops.app.data.add import add_data
from nbmlops.data.versions.dvc_pointer import yaml_text
from tests.golden.dvc.make import STEPS, found, write

pytestmark = [pytest.mark.targets, pytest.mark.slow]

PLACE = Path(os.environ["NBMLOPS_TARGETS"]).absolute() / "dvc" / "bin"
FILES = {
    "data/plain.csv": "a,b\n1,2\n",
    "data/folder/one.csv": "a,b\n1,2\n",
    "data/folder/sub/ümläut ☃.txt": "ü",
    "data/folder/zero": "",
    "data/it's [a] #1.txt": "1",
    "data/run.sh": "x:#!/bin/sh\n",
}
ADDED = ("data/plain.csv", "data/folder", "data/it's [a] #1.txt", "data/run.sh")
WRITE_YAML = """
import io, json, sys
from ruamel.yaml import YAML
yaml = YAML()
yaml.width = 10**9
written = []
for name in json.load(sys.stdin):
    stream = io.StringIO()
    yaml.dump([name], stream)
    written.append(stream.getvalue().removeprefix("- ").removesuffix("\\n"))
print(json.dumps(written))
"""
LETTERS = "ab01 .:-_'\"#[]{},&*!|>%@`~?=<\\é🙂eExXon+TzZ"


def dvc(root: Path, *arguments: str) -> str:
    """Returns what a dvc command prints."""
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    command = [str(PLACE / "dvc"), *arguments]
    done = subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with data that nbmlops added, in a repository that it made, too."""
    root = tmp_path / "project"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    write(root, FILES)
    for name in ADDED:
        add_data(Path(name), root, init=True)
    return root


def test_dvc_finds_nothing_to_do(root: Path) -> None:
    before = found(root)
    assert json.loads(dvc(root, "status", "--json")) == {}
    dvc(root, "add", "--quiet", *ADDED)
    assert found(root) == before


def test_data_comes_back_from_a_remote_and_from_the_cache(root: Path, tmp_path: Path) -> None:
    dvc(root, "remote", "add", "--quiet", "--default", "away", str(tmp_path / "away"))
    dvc(root, "push", "--quiet")
    subprocess.run(["rm", "-rf", str(root / ".dvc" / "cache"), str(root / "data" / "folder")], check=True)
    (root / "data" / "plain.csv").unlink()
    dvc(root, "pull", "--quiet")
    assert {name: (root / name).read_text("utf-8") for name in FILES} == {
        name: content.removeprefix("x:") for name, content in FILES.items()
    }
    (root / "data" / "plain.csv").unlink()
    dvc(root, "checkout", "--quiet")
    assert (root / "data" / "plain.csv").read_text() == FILES["data/plain.csv"]


def test_each_keeps_versions_of_what_the_other_added(root: Path) -> None:
    write(root, {"data/folder/new": "new", "data/plain.csv": "other"})
    assert set(json.loads(dvc(root, "status", "--json"))) == {"data/folder.dvc", "data/plain.csv.dvc"}
    for name in ADDED:
        add_data(Path(name), root)
    assert json.loads(dvc(root, "status", "--json")) == {}
    write(root, {"data/folder/new": "newer"})
    dvc(root, "add", "--quiet", "data/folder")
    assert add_data(Path("data/folder"), root).written == ()


def test_the_golden_files_are_what_this_dvc_writes(tmp_path: Path) -> None:
    golden = json.loads((Path(__file__).parents[1] / "golden" / "dvc" / "tree.json").read_text("utf-8"))
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    dvc(tmp_path, "init", "--quiet")
    states = []
    for step in STEPS:
        write(tmp_path, step["files"])
        dvc(tmp_path, "add", "--quiet", "--", *step["add"])
        states.append(step | {"found": found(tmp_path)})
    assert states == golden["steps"]


def test_names_are_written_as_dvc_writes_them() -> None:
    chance = random.Random(5)
    names = ["".join(chance.choices(LETTERS, k=chance.randint(1, 6))) for _ in range(5000)]
    done = subprocess.run(
        [str(PLACE / "python"), "-c", WRITE_YAML], input=json.dumps(names), capture_output=True, text=True, check=True
    )
    assert [yaml_text(name) for name in names] == json.loads(done.stdout)
