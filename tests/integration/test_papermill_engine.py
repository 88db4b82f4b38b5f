"""The papermill engine, found as an installed one is: what it executes, and what is left when papermill is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill.engines import papermill_engines
from papermill.iorw import papermill_io

from nbmlops.runtime.kernels import warm_papermill
from nbmlops.runtime.kernels.warm_papermill import WarmKernels
from nbmlops.runtime.papermill_engine import NbmlopsEngine, SavingManager, WholeFiles

ROOT = Path(__file__).resolve().parents[2]
KERNEL = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
CELLS = ["n = 1", "import os\nprint(n, os.getcwd())\nn + 1", "{'a': n}"]


def write_notebook(path: Path, *sources: str) -> Path:
    cells = [new_code_cell(text, id=f"c{number}") for number, text in enumerate(sources)]
    cells[0].metadata["tags"] = ["parameters"]
    notebook = new_notebook(cells=[new_markdown_cell("# Title", id="m"), *cells], metadata=KERNEL)
    nbformat.write(notebook, path)
    return path


def timeless(notebook: Any) -> Any:
    """The notebook without what differs from one execution to the next."""
    found = json.loads(nbformat.writes(notebook)) if not isinstance(notebook, dict) else notebook
    for part in (found, *found["cells"]):
        part["metadata"].get("papermill", {}).update(
            dict.fromkeys(("start_time", "end_time", "duration", "output_path"))
        )
        part["metadata"].pop("execution", None)
    for cell in found["cells"]:
        cell["id"] = ""
    return found


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a process in which nbmlops is installed with the entry points of its pyproject.toml."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["papermill.engine"]
    info = tmp_path / "site" / "nbmlops_engine-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nbmlops-engine\nVersion: 1\n")
    lines = [f"{name} = {target}" for name, target in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[papermill.engine]", *lines]) + "\n")
    path = os.pathsep.join([str(info.parent), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(papermill_engines._engines, "nbmlops", NbmlopsEngine)
    monkeypatch.setattr(warm_papermill, "KERNELS", WarmKernels())  # its first notebook starts cold
    monkeypatch.setattr(papermill_io, "_handlers", list(papermill_io._handlers))
    return "nbmlops"


@pytest.mark.slow
def test_a_notebook_is_executed_as_by_papermill(tmp_path: Path, installed: dict[str, str]) -> None:
    source = write_notebook(tmp_path / "in.ipynb", *CELLS)
    command = [sys.executable, "-m", "papermill", "--engine", "nbmlops", "--no-progress-bar", "-p", "n", "41"]
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        [*command, "--cwd", str(work), str(source), "ours.ipynb"],
        cwd=tmp_path, env=installed, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    usual = papermill.execute_notebook(source, tmp_path / "usual.ipynb", {"n": 41}, cwd=work, progress_bar=False)
    ours = json.loads((tmp_path / "ours.ipynb").read_text())
    assert [part.get("text") for part in ours["cells"][3]["outputs"]] == [[f"41 {work}\n"], None]
    ours, expected = timeless(ours), timeless(usual)
    assert ours == timeless(json.loads((tmp_path / "usual.ipynb").read_text()))
    assert [cell["metadata"] for cell in ours["cells"]] == [cell["metadata"] for cell in expected["cells"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.ipynb", "ours.ipynb", "site", "usual.ipynb", "work"]


@pytest.mark.slow
def test_what_is_on_the_disk_is_whole_at_every_moment_and_up_to_date(tmp_path: Path, installed: dict[str, str]) -> None:
    show = "for number in range(2000):\n    print(number, 'x' * 100)"
    source = write_notebook(tmp_path / "in.ipynb", "n = 1", show, show, "import time\ntime.sleep(600)")
    target = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", "--engine", "nbmlops", "--no-progress-bar", str(source), str(target)]
    with subprocess.Popen(command, cwd=tmp_path, env=installed, stderr=subprocess.DEVNULL) as runner:
        try:
            shown = _watch(target, runner)
        finally:
            runner.send_signal(signal.SIGKILL)
    assert shown == 2  # while the next cell sleeps
    nbformat.validate(nbformat.read(target, as_version=4))


def _watch(target: Path, runner: subprocess.Popen[bytes]) -> int:
    """Returns how many cells have shown their last line, once two have; every version of the file can be read."""
    deadline, shown = time.monotonic() + 120, 0
    while shown < 2 and time.monotonic() < deadline and runner.poll() is None:
        cells = json.loads(target.read_text())["cells"] if target.exists() else []
        shown = sum("1999 x" in json.dumps(cell.get("outputs")) for cell in cells)
        time.sleep(0.002)
    return shown


@pytest.mark.slow
def test_the_error_of_a_cell_is_saved_and_raised(tmp_path: Path, engine: str) -> None:
    source = write_notebook(tmp_path / "in.ipynb", "n = 1", "n / 0", "print('never')")
    with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
        papermill.execute_notebook(source, tmp_path / "ours.ipynb", engine_name=engine, progress_bar=False)
    with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
        papermill.execute_notebook(source, tmp_path / "usual.ipynb", progress_bar=False)
    ours, usual = (timeless(json.loads((tmp_path / f"{name}.ipynb").read_text())) for name in ("ours", "usual"))
    assert ours == usual


def test_saving_pauses_for_ten_times_as_long_as_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, saved = [100.0], []

    def write(notebook: Any, path: str) -> None:
        saved.append(clock[0])
        clock[0] += 2.0

    monkeypatch.setattr("nbmlops.runtime.papermill_engine.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("papermill.engines.write_ipynb", write)
    notebook = new_notebook(cells=[new_code_cell("1") for _ in range(6)], metadata={"papermill": {}})
    manager = SavingManager(notebook, output_path="out.ipynb", progress_bar=False)
    manager.notebook_start()
    for cell in notebook.cells:
        manager.cell_start(cell)
        clock[0] += 5.0
        manager.cell_complete(cell)
    assert (saved, manager.pause) == ([100.0, 122.0], 10.0)
    manager.save_owed()
    manager.save_owed()
    manager.notebook_complete()
    assert saved == [100.0, 122.0, 134.0, 136.0]


def test_files_keep_their_mode_and_links_and_papermill_its_errors(tmp_path: Path, engine: str) -> None:
    files = WholeFiles(papermill_io.get_handler("local"))
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    before = files.cwd(str(tmp_path))
    try:
        files.write("ü", "link.txt")
    finally:
        files.cwd(before)
    assert (link.is_symlink(), real.read_bytes(), real.stat().st_mode & 0o777) == (True, "ü".encode(), 0o640)
    assert files.read(str(link)) == "ü"
    with pytest.raises(FileNotFoundError, match=r"output folder .* doesn't exist"):
        files.write("x", str(tmp_path / "no" / "x.txt"))
    files.write("gone", os.devnull)
    assert not Path(os.devnull).is_file()


LOOP = """
import json, os, sys
import papermill
from nbmlops.runtime.kernels.warm_papermill import KERNELS

parents = []
for name, engine in json.loads(sys.argv[1]):
    papermill.execute_notebook("in.ipynb", name, {"n": 3}, engine_name=engine, progress_bar=False)
    parents.append(json.loads(open("parent.json").read()))
server = KERNELS._server._process.pid if KERNELS._server else 0
print(json.dumps([os.getpid(), server, parents]), flush=True)
if len(sys.argv) > 2:
    papermill.execute_notebook(sys.argv[2], "never.ipynb", engine_name="nbmlops", progress_bar=False)
"""
NUMBERS = [
    "n = 1",
    "import json, os, sys\nimport numpy as np\njson.dump(os.getppid(), open('parent.json', 'w'))",
    "print(sorted(name for name in sys.modules if name.startswith('nbmlops')), np.arange(n) @ np.ones(n))",
    "np.linspace(0, 1, n)",
]


def loop(folder: Path, installed: dict[str, str], *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", LOOP, *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=folder, env=installed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
def test_later_notebooks_of_a_process_start_warm_and_give_the_same(tmp_path: Path, installed: dict[str, str]) -> None:
    write_notebook(tmp_path / "in.ipynb", *NUMBERS)
    ours = [(f"{name}.ipynb", "nbmlops") for name in ("first", "second", "third")]
    with loop(tmp_path, installed, json.dumps([("usual.ipynb", "nbclient"), *ours])) as process:
        own, server, parents = json.loads(process.communicate(timeout=120)[0].splitlines()[-1])
    assert parents == [own, own, server, server]
    usual = timeless(json.loads((tmp_path / "usual.ipynb").read_text()))
    for name, _ in ours:
        assert timeless(json.loads((tmp_path / name).read_text())) == usual
    assert not Path(f"/proc/{server}").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
def test_nothing_outlives_a_process_that_is_killed_with_a_warm_kernel_at_work(
    tmp_path: Path, installed: dict[str, str]
) -> None:
    write_notebook(tmp_path / "in.ipynb", *NUMBERS)
    sleeps = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)"
    write_notebook(tmp_path / "sleep.ipynb", "n = 1", sleeps)
    deadline = time.monotonic() + 120
    with loop(tmp_path, installed, json.dumps([("a.ipynb", "nbmlops")]), "sleep.ipynb") as process:
        assert process.stdout is not None
        own, server, _ = json.loads(process.stdout.readline())
        assert server == 0  # one notebook starts no process that nobody will need
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        kernel = int((tmp_path / "pid").read_text())
        server = int(Path(f"/proc/{kernel}/stat").read_text().rpartition(")")[2].split()[1])
        assert server != own
        process.kill()
    while any(Path(f"/proc/{pid}").exists() for pid in (kernel, server)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
