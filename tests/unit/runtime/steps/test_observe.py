from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = """
import json, os, sys
from pathlib import Path
from nbmlops.runtime.steps.observe import Observer, module_files
root = Path(sys.argv[1])
os.chdir(root / "work")
sys.path.insert(0, "")
observer = Observer(root, "flights", (root / ".nbmlops",))
observer.start()
{body}
observer.stop()
open(root / "work" / "later.csv")
modules = observer.modules([globals()])
print(json.dumps({{
    "read": [os.path.relpath(path, root) for path in observer.files_read()],
    "imported": [os.path.relpath(path, root) for path in observer.files_imported()],
    "listed": [[ask.question.value, os.path.relpath(ask.folder, root), ask.pattern] for ask in observer.listed],
    "written": [os.path.relpath(path, root) for path in observer.files_written()],
    "altered": [os.path.relpath(path, root) for path in observer.files_altered()],
    "unkeyable": observer.unkeyable(),
    "modules": list(modules),
    "local": [os.path.relpath(path, root) for path in module_files(modules, ())],
}}))
"""


def observed(root: Path, body: str) -> dict[str, Any]:
    (root / "work").mkdir(parents=True, exist_ok=True)
    (root / "work" / "later.csv").write_text("")
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM.format(body=body), str(root)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_files_that_are_read_are_seen_and_those_it_made_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / ".nbmlops").mkdir()
    (tmp_path / ".nbmlops" / "object").write_text("")
    body = """
open("../a.csv").read()
os.close(os.open("../a.csv", os.O_RDONLY))
open(b"../.nbmlops/object").close()
try:
    open("absent.csv")
except FileNotFoundError:
    pass
open("made.txt", "w").close()
open("made.txt").close()
os.close(os.open("raw.bin", os.O_WRONLY | os.O_CREAT))
open("/proc/self/stat").close()
open(os.devnull, "w").close()
import sqlite3; sqlite3.connect("data.db").close()
import wave; open(wave.__file__).close()
"""
    found = observed(tmp_path, body)
    assert found["read"] == ["a.csv", "work/absent.csv", "work/data.db"]
    assert found["written"] == ["work/made.txt", "work/raw.bin"]
    assert found["unkeyable"] == ""


def test_data_inside_packages_is_seen_and_their_code_is_not(tmp_path: Path) -> None:
    body = """
import sklearn
folder = Path(sklearn.__file__).parent
next(open(folder / "datasets" / "data" / "iris.csv"))
"""
    assert [Path(path).name for path in observed(tmp_path, body)["read"]] == ["iris.csv"]


def test_looking_through_a_package_for_modules_reads_none_of_its_data(tmp_path: Path) -> None:
    found = observed(tmp_path, "import skops.io")  # which walks through all of scikit-learn
    assert (found["read"], found["listed"]) == ([], [])


def test_modules_that_are_loaded_or_referred_to_are_named_and_local_ones_have_files(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "mine.py").write_text("import deeper\n")
    (tmp_path / "work" / "deeper.py").write_text("")
    found = observed(tmp_path, "import mine, xxhash as x")
    assert set(found["modules"]) >= {"deeper", "mine", "xxhash"}
    assert {"os", "nbmlops", "__main__"}.isdisjoint(found["modules"])
    assert found["local"] == ["work/deeper.py", "work/mine.py"]
    assert (found["read"], found["imported"]) == ([], ["work/deeper.py", "work/mine.py"])


def test_the_source_of_a_module_whose_text_is_looked_at_is_a_file_that_was_read(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "mine.py").write_text("def f(): ...\n")
    (tmp_path / "work" / "other.py").write_text("")
    found = observed(tmp_path, "import inspect, mine, other\ninspect.getsource(mine.f)")
    assert (found["read"], found["imported"]) == (["work/mine.py"], ["work/other.py"])


def test_reading_from_the_network_cannot_be_keyed(tmp_path: Path) -> None:
    body = """
import urllib.request
try:
    urllib.request.urlopen("http://127.0.0.1:9/x", timeout=1)
except OSError:
    pass
"""
    assert observed(tmp_path, body)["unkeyable"] == ("it reads from the network (127.0.0.1, http://127.0.0.1:9/x)")


def test_reading_from_a_pipe_cannot_be_keyed(tmp_path: Path) -> None:
    body = "os.mkfifo('pipe'); os.close(os.open('pipe', os.O_RDONLY | os.O_NONBLOCK))"
    pipe = tmp_path / "work" / "pipe"
    assert observed(tmp_path, body)["unkeyable"] == f"it reads from {pipe}, which is no ordinary file"


def test_a_file_that_somebody_changes_after_it_was_read_is_told(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "made.csv"):
        (tmp_path / name).write_text("1")
    body = """
import sqlite3
for name in ("../a.csv", "../b.csv", "../made.csv"):
    open(name).close()
open("../made.csv", "w").close()
with sqlite3.connect("../data.db") as database:
    database.execute("create table t (x)")
os.system("echo 2 > ../b.csv")
print(json.dumps([os.path.relpath(path, root) for path in sorted(observer.files_changed())]))
raise SystemExit
"""
    command = [sys.executable, "-c", PROGRAM.format(body=body), str(tmp_path)]
    (tmp_path / "work").mkdir()
    assert json.loads(subprocess.run(command, capture_output=True, check=True).stdout) == ["b.csv"]


def test_a_shell_command_cannot_be_keyed(tmp_path: Path) -> None:
    body = "from nbmlops import shell; shell.getoutput('cat later.csv')"
    assert observed(tmp_path, body)["unkeyable"] == "it runs another program (`cat later.csv`)"
    body = "from nbmlops import shell; shell.script(['bash'], 'true')"
    assert observed(tmp_path, body)["unkeyable"] == "it runs another program (`bash`)"


def test_programs_that_the_users_code_starts_cannot_be_keyed_those_of_libraries_can(tmp_path: Path) -> None:
    ways = {
        "subprocess.run(['cat', 'later.csv'], check=True)": "cat later.csv",
        "os.system('true')": "true",
        "subprocess.check_output('echo 1', shell=True)": "/bin/sh -c echo 1",
        "os.posix_spawn('/bin/true', ['true'], {})": "true",
    }
    told = {}
    for number, way in enumerate(ways):
        (tmp_path / "work").mkdir(exist_ok=True)
        (tmp_path / "work" / f"mine{number}.py").write_text(f"import os, subprocess\ndef go():\n    {way}\n")
        told[way] = observed(tmp_path, f"import mine{number}; mine{number}.go()")["unkeyable"]
    assert told == {way: f"it runs another program (`{command}`)" for way, command in ways.items()}
    assert observed(tmp_path, "import subprocess; subprocess.run(['true'])")["unkeyable"] == ""


def test_a_library_of_the_environment_may_count_cores(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    text = "from joblib.externals.loky.backend.context import _count_physical_cores_linux\n"
    (tmp_path / "work" / "mine.py").write_text(f"{text}def go():\n    _count_physical_cores_linux()\n")
    assert observed(tmp_path, "import mine; mine.go()")["unkeyable"] == ""


def test_questions_whether_something_exists_are_seen_unless_the_step_itself_put_or_removed_it(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("")
    (tmp_path / "work").mkdir()
    body = """
import os
from pathlib import Path
[Path("../flag").exists(), os.path.isdir("../data"), os.path.exists("/proc/self"), Path("../.nbmlops/x").is_file()]
if not Path("made").exists():
    Path("made").mkdir()
if os.path.exists("../old"):
    os.remove("../old")
if not Path("text").exists():
    Path("text").write_text("")
"""
    (tmp_path / "work" / "mine.py").write_text(body)
    found = observed(tmp_path, "import mine")
    assert found["listed"] == [["kind", ".", "flag"], ["kind", ".", "data"]]


def test_what_libraries_read_past_python_is_seen_by_their_questions_and_those_of_the_step(tmp_path: Path) -> None:
    import pandas as pd

    for name in ("a", "b"):
        pd.DataFrame({"x": [1]}).to_parquet(tmp_path / f"{name}.parquet")
    by_name = "import pandas; pandas.read_parquet(root / ('a' + '.parquet'))"
    assert observed(tmp_path, by_name)["read"] == ["a.parquet"]
    by_glob = "import pyarrow.parquet as q; [q.read_table(p) for p in root.glob('*.parquet')]"
    assert observed(tmp_path, by_glob)["read"] == ["a.parquet", "b.parquet"]


def test_what_a_second_run_would_not_repeat_is_told(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir(parents=True)
    for name in ("read_first", "appended", "removed", "before", "gone"):
        (tmp_path / "work" / name).write_text("1")
    body = """
import sqlite3, tempfile
Path("anew").write_text("1")
Path("made_and_removed").write_text("1")
Path("made_and_removed").unlink()
Path("read_first").write_text(Path("read_first").read_text() + "2")
open("appended", "a").close()
Path("removed").unlink()
Path("before").rename("after")
os.makedirs("folder/inner")
os.makedirs("folder/inner", exist_ok=True)
sqlite3.connect("base.db").close()
tempfile.NamedTemporaryFile().close()
"""
    found = observed(tmp_path, body)["altered"]
    names = ["after", "appended", "base.db", "before", "folder", "folder/inner", "read_first", "removed"]
    assert found == [f"work/{name}" for name in names]


def test_modules_of_the_user_in_the_package_of_a_library_are_his(tmp_path: Path) -> None:
    files = {
        "lib/plain/__init__.py": "from plain import inner",
        "lib/plain/inner.py": "",
        "lib/wide/__init__.py": f"__path__.append({str(tmp_path / 'mine')!r})\nfrom wide import own",
        "mine/own.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    program = f"""
import sys
from pathlib import Path
from nbmlops.runtime.steps.observe import module_files
lib = Path({str(tmp_path / "lib")!r})
sys.path.insert(0, str(lib))
import plain, wide
print(module_files(["plain", "wide", "absent"], [lib]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"{(str(tmp_path / 'mine' / 'own.py'),)}\n"
