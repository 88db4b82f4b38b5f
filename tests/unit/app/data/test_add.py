import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nbmlops.app.data.add import Added, add_data
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.data.versions.dvc_pointer import Pointer
from tests.golden.dvc.make import found, write

GOLDEN = json.loads((Path(__file__).parents[3] / "golden" / "dvc" / "tree.json").read_text("utf-8"))
ONE = "b026324c6904b2a9cb4b88d6d61c81d1"
OBJECT = "cache/files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A git repository that is a DVC repository, too."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("")
    return tmp_path


def test_every_byte_is_that_of_dvc(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for step in GOLDEN["steps"]:
        write(tmp_path, step["files"])
        for name in step["add"]:
            add_data(Path(name), tmp_path, init=True)
        assert found(tmp_path) == step["found"]


def stamps(root: Path) -> dict[str, int]:
    """Returns when each file was written last, and how many there are."""
    return {path.relative_to(root).as_posix(): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def test_adding_again_writes_nothing(root: Path) -> None:
    write(root, {"data/one": "1\n", "data/folder/two": "2\n"})
    first = [add_data(Path(name), root) for name in ("data/one", "data/folder")]
    before = stamps(root)
    again = [add_data(Path(name), root) for name in ("data/one", "data/folder")]
    assert first[0] == Added(
        "data/one", Pointer("one", ONE, 2), "data/one.dvc", "", ("data/.gitignore", "data/one.dvc")
    )
    assert [(one.before, one.written) for one in again] == [(one.pointer.md5, ()) for one in first]
    assert stamps(root) == before


def test_paths_count_from_the_current_folder(root: Path) -> None:
    write(root, {"data/sub/one": "1\n", "data/two": "2\n"})
    assert add_data(Path("../two"), root / "data" / "sub").pointer_file == "../two.dvc"
    assert add_data(Path(), root / "data" / "sub").pointer_file == "../sub.dvc"


@pytest.mark.parametrize(
    ("file", "text", "cache"),
    [
        (".dvc/config", "[cache]\n    dir = ../../shared\n    type = copy\n", "../shared"),
        (".dvc/config.local", "[core]\n    remote = r\n['remote \"r\"']\n    url = x\n[cache]\n    dir = /ABS", "ABS"),
        ("user/config", "[cache]\n    dir = elsewhere\n", "user/elsewhere"),
    ],
)
def test_the_cache_is_where_dvc_is_told_to_have_it(root: Path, file: str, text: str, cache: str) -> None:
    write(root, {file: text.replace("/ABS", str(root / "ABS")), "one": "1\n"})
    add_data(Path("one"), root, user_config=root / "user" / "config")
    assert (root / cache / OBJECT.removeprefix("cache/")).read_text() == "1\n"


def test_the_repository_counts_more_than_the_user(root: Path) -> None:
    write(root, {".dvc/config": "[cache]\ndir = here\n", "user": "[cache]\ndir = there\n", "one": "1\n"})
    add_data(Path("one"), root, user_config=root / "user")
    assert (root / ".dvc" / "here" / OBJECT.removeprefix("cache/")).is_file()


def test_without_git_there_is_no_gitignore(root: Path) -> None:
    write(root, {".dvc/config": "[core]\nno_scm = True\n", "one": "1\n"})
    assert add_data(Path("one"), root).written == ("one.dvc",)


def tracked(root: Path) -> None:
    write(root, {"one": "1\n"})
    subprocess.run(["git", "-C", str(root), "add", "one"], check=True)


def fifo(root: Path) -> None:
    (root / "folder").mkdir()
    os.mkfifo(root / "folder" / "pipe")


def links(root: Path) -> None:
    write(root, {"real/a": "1"})
    (root / "one").symlink_to("real")


def dangling(root: Path) -> None:
    write(root, {"folder/a": "1"})
    (root / "folder" / "b").symlink_to("nowhere")


REFUSED = {
    "not there": (lambda root: None, "one", "one does not exist"),
    "a pointer": (lambda root: write(root, {"one.dvc": "x"}), "one.dvc", "one.dvc belongs to DVC itself"),
    "dvc's own": (lambda root: None, ".dvc/config", ".dvc/config belongs to DVC itself"),
    "tracked": (tracked, "one", "one is tracked by git already, and can belong to one of the two only"),
    "pointer ignored": (
        lambda root: write(root, {"one": "1", ".gitignore": "one*"}),
        "one",
        "git ignores one.dvc, which is to be committed",
    ),
    "inside": (
        lambda root: write(root, {"folder/one": "1", "folder.dvc": "x"}),
        "folder/one",
        "folder/one is in folder, which DVC has as a whole",
    ),
    "around": (
        lambda root: write(root, {"folder/one": "1", "folder/one.dvc": "x"}),
        "folder",
        "{root}/folder/one.dvc is a file of DVC's, which a folder that is added cannot hold",
    ),
    "pipe": (fifo, "folder/pipe", "{root}/folder/pipe is neither a file nor a folder"),
    "pipe in a folder": (
        fifo, "folder", "{root}/folder/pipe is neither a file nor a folder, so it has no content to add",
    ),
    "link to a folder": (links, "one", "one is a link to a folder"),
    "link to nothing": (dangling, "folder", "{root}/folder/b is a link to nothing, so it has no content to add"),
    "patterns": (
        lambda root: write(root, {"folder/one": "1", ".dvcignore": "# no\n\n*.tmp\n"}),
        "folder",
        ".dvcignore has rules, which may leave out files of folder",
    ),
    "line end in a name": (
        lambda root: write(root, {"a\nb": "1"}), "a\nb",
        "the name 'a\\nb' holds '\\n', which other systems cannot read",
    ),
    "broken pointer": (
        lambda root: write(root, {"one": "1", "one.dvc": "outs: [\n"}), "one",
        "one.dvc is not YAML: while parsing a flow node",
    ),
    "import": (
        lambda root: write(root, {"one": "1", "one.dvc": f"deps:\n- path: x\nouts:\n- md5: {ONE}\n  path: one\n"}),
        "one",
        "one.dvc was not made by adding one: it has inputs of its own or another path",
    ),
    "broken configuration": (
        lambda root: write(root, {"one": "1", ".dvc/config": "dir = x\n"}), "one",
        "{root}/.dvc/config is no configuration of DVC: File contains no section headers.",
    ),
    "remote cache": (
        lambda root: write(root, {"one": "1", ".dvc/config": "[cache]\ndir = s3://x\n"}), "one",
        "{root}/.dvc/config: the cache is at s3://x, which only dvc can write",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_dvc_would_not_take_is_refused_with_nothing_written(root: Path, name: str) -> None:
    prepare, path, message = REFUSED[name]
    prepare(root)
    before = stamps(root)
    with pytest.raises(UsageError) as caught:
        add_data(Path(path), root)
    assert caught.value.message == message.replace("{root}", str(root))
    assert caught.value.hint
    assert stamps(root) == before


def test_outside_a_repository_the_way_in_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"one": "1\n"})
    with pytest.raises(UsageError, match="is in no DVC repository") as caught:
        add_data(Path("one"), tmp_path)
    assert caught.value.hint == "make one in the project's root: nbmlops data add --init PATH, or dvc init"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_is_an_environment_fault(root: Path) -> None:
    write(root, {"one": "1\n", ".dvc/cache": None})
    (root / ".dvc" / "cache").chmod(0o500)
    with pytest.raises(EnvironmentFault, match="cannot add"):
        add_data(Path("one"), root)


KILLED = """
import hashlib, os, shutil, sys
from pathlib import Path
from nbmlops.app.data.add import add_data

start, root = Path(sys.argv[1]), Path(sys.argv[2])

def killed_at(moment):
    '''Adds a file and a folder in a process that ends at the n-th thing it asks of the system; was it that many?'''
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(start, root)
    child = os.fork()
    if child == 0:
        seen = 0
        def hook(event, arguments):
            nonlocal seen
            seen += event.startswith(("open", "os.", "tempfile.", "fcntl."))
            if seen == moment:
                os._exit(9)
        sys.addaudithook(hook)
        for name in ("one", "folder"):
            add_data(Path(name), root)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

def check():
    places = root / ".dvc" / "cache" / "files" / "md5"
    found = [path for path in places.rglob("*") if path.is_file()]
    for path in found:
        wanted = path.parent.name + path.name.removesuffix(".dir")
        assert hashlib.md5(path.read_bytes()).hexdigest() == wanted, path
        assert path.stat().st_mode & 0o777 == 0o444, path
    for name, objects in (("one", 1), ("folder", 3)):
        if (root / f"{name}.dvc").exists():
            assert (root / f"{name}.dvc").read_text().endswith(f"path: {name}\\n")
            assert len(found) >= objects and f"/{name}" in (root / ".gitignore").read_text()

moment = 1
while killed_at(moment):
    check()
    moment += 1
check()
print(moment)
"""


def test_wherever_it_is_killed_the_cache_is_whole(tmp_path: Path) -> None:
    start = tmp_path / "start"
    subprocess.run(["git", "init", "-q", str(start)], check=True)
    write(start, {".dvc/config": "", "one": "1\n", "folder/a": "a", "folder/b": "b"})
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(start), str(tmp_path / "root")], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert int(done.stdout) > 50
