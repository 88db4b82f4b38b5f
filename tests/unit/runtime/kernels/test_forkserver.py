"""The real process to fork from, with modules made for the purpose: what it refuses, and how its kernels end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nbmlops.runtime.kernels.forkserver import ForkedProcess, ForkPlan, ForkServer, _threads
from nbmlops.runtime.kernels.forkserver_main import _possible

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")

Make = Callable[..., ForkServer]
MODULES = {
    "quiet": "value = [1]\n",
    "threaded": "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n",
    "talking": "print('hello')\n",
    "warning": "import warnings\nwarnings.warn('old')\n",
    "reading": "open('data.txt').close()\n",
    "moving": "import os\nos.chdir('/')\n",
    "broken": "import no_such_module\n",
    "failing": "1 / 0\n",
    "curious": "hasattr(get_ipython(), 'kernel')\nhasattr(get_ipython(), 'register_magics')\n",
    "rude": "import os\nos.environ['HOME'] = '/nowhere'\n",
}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    modules = tmp_path / "modules"
    modules.mkdir()
    for name, text in MODULES.items():
        (modules / f"{name}.py").write_text(text)
    (tmp_path / "data.txt").touch()
    made: list[ForkServer] = []
    path = os.pathsep.join([str(modules), *filter(None, sys.path)])

    def start(*names: str) -> ForkServer:
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        made.append(
            ForkServer(
                ForkPlan(names, tmp_path, tmp_path, "package", tmp_path / "pipeline.yaml", (modules,), environment)
            )
        )
        return made[-1]

    yield start
    for server in made:
        server.close()


def fork(server: ForkServer, folder: Path) -> ForkedProcess | None:
    """Starts a kernel with a connection file that it cannot read: it ends by itself, with its error."""
    (folder / "broken.json").write_text("no json")
    with tempfile.TemporaryFile() as output:
        return server.fork(["-f", str(folder / "broken.json")], str(folder), dict(os.environ), [output.fileno()] * 2)


def kernel(server: ForkServer, folder: Path) -> ForkedProcess:
    with tempfile.TemporaryFile() as output:
        made = server.fork(["-f", str(folder / "kernel.json")], str(folder), dict(os.environ), [output.fileno()] * 2)
    assert made is not None, server.refusal
    return made


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("threaded", "its imports have started 1 thread"),
        ("talking", "importing talking prints or warns"),
        ("warning", "importing warning prints or warns"),
        ("reading", "its imports read {folder}/data.txt"),
        ("moving", "its imports change the working directory"),
        ("broken", "broken cannot be imported: No module named 'no_such_module'"),
        ("failing", "failing cannot be imported: division by zero"),
        ("curious", "its imports ask the kernel's shell for 'register_magics'"),
        ("rude", "importing rude changes environment variables or warning filters"),
        ("matplotlib_inline.backend_inline", "its imports load matplotlib_inline"),
    ],
)
def test_imports_that_do_more_than_importing_are_refused(make: Make, tmp_path: Path, module: str, reason: str) -> None:
    server = make(module)
    assert fork(server, tmp_path) is None
    assert server.refusal.startswith(reason.format(folder=tmp_path))
    assert fork(server, tmp_path) is None  # it is not asked again


@pytest.mark.parametrize(
    ("environment", "number"),
    [
        ({}, 0),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"OPENBLAS_NUM_THREADS": "0", "OMP_NUM_THREADS": "3"}, 3),
        ({"OPENBLAS_NUM_THREADS": "many"}, 0),
        ({"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "3"}, 2),
    ],
)
def test_variables_say_how_many_threads_linear_algebra_uses(environment: dict[str, str], number: int) -> None:
    assert _threads(environment) == number


@pytest.mark.parametrize("asked", [0, 1, 4096])
def test_a_warm_step_has_as_many_threads_as_a_cold_one(asked: int) -> None:
    program = "import numpy, threadpoolctl; print(threadpoolctl.threadpool_info()[0]['num_threads'])"
    environment = {name: text for name, text in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment |= {"OPENBLAS_NUM_THREADS": str(asked)}
    cold = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert _possible(_threads(environment)) == int(cold.stdout)


def test_linear_algebra_has_no_threads_before_the_fork_and_as_many_as_are_set_when_a_fork_needs_them() -> None:
    program = """
import os, numpy, threadpoolctl
from nbmlops.runtime.kernels.forkserver_main import _set_threads
tasks = lambda: len(os.listdir("/proc/self/task"))
numbers = lambda: {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
told = [tasks()]
_set_threads(3)
told += [tasks(), numbers()]
reader, writer = os.pipe()
if os.fork() == 0:
    told += [tasks()]
    square = numpy.ones((600, 600))
    square @ square
    told += [tasks(), numbers()]
    os.write(writer, repr(told).encode())
    os._exit(0)
os.wait()
print(os.read(reader, 1000).decode(), tasks())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[1, 1, {3}, 1, 3, {3}] 1\n"


def test_kernels_end_like_processes_of_our_own(make: Make, tmp_path: Path) -> None:
    server = make("quiet")
    first, second, third = kernel(server, tmp_path), kernel(server, tmp_path), kernel(server, tmp_path)
    assert (first.poll(), second.poll()) == (None, None)
    with pytest.raises(subprocess.TimeoutExpired):
        first.wait(0.01)
    first.kill()
    assert (first.wait(10), first.poll(), first.returncode) == (-signal.SIGKILL,) * 3
    os.killpg(second.pid, signal.SIGTERM)  # it leads a group of its own
    assert second.wait(10) == -signal.SIGTERM
    assert third.poll() is None
    server.close()
    assert third.wait(10) == -signal.SIGKILL
    for ended in (first, second, third):
        ended.kill()  # to no effect: somebody else may have its number
        assert not Path(f"/proc/{ended.pid}").exists()


def test_when_the_process_is_killed_its_kernels_go_with_it(make: Make, tmp_path: Path) -> None:
    server = make("quiet")
    made = kernel(server, tmp_path)
    server._process.kill()
    assert made.wait(20) == -signal.SIGKILL
    assert fork(server, tmp_path) is None
    assert server.refusal


def test_many_kernels_leave_no_descriptors_behind(make: Make, tmp_path: Path) -> None:
    server = make("quiet")

    def descriptors() -> list[int]:
        return [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in (os.getpid(), server._process.pid)]

    made = kernel(server, tmp_path)
    made.kill()
    made.wait(10)
    before = descriptors()
    for _ in range(20):
        made = kernel(server, tmp_path)
        made.kill()
        made.wait(10)
    assert descriptors() == before


RUNNER = """
import json, os, sys, tempfile, time
from pathlib import Path
from nbmlops.runtime.kernels.forkserver import ForkPlan, ForkServer
folder = Path(sys.argv[1])
server = ForkServer(ForkPlan(("json",), folder, folder, "package", folder / "pipeline.yaml", (), dict(os.environ)))
made = server.fork(["-f", str(folder / "kernel.json")], str(folder), dict(os.environ), [2, 2])
print(json.dumps([made.pid, server._process.pid]), flush=True)
time.sleep(60)
"""


def test_nothing_outlives_a_killed_runner(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUNNER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as runner:
        assert runner.stdout is not None
        pids = json.loads(runner.stdout.readline())
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
        runner.kill()
    deadline = time.monotonic() + 20
    while (left := [pid for pid in pids if _runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
