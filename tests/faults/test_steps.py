"""Rows 1 to 11 of the catalogue: kernels that die, hang, leave things behind or say too much."""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nbmlops.pipeline.run_record import RunStatus, StepStatus
from nbmlops.runtime.kernels.kernel import Kernel
from nbmlops.runtime.schedule.events import StepRetried, StepWarned
from nbmlops.runtime.schedule.execute import Completed, Job, KernelDied, NeverReady, TimedOut, execute

pytestmark = pytest.mark.slow


def job(folder: Path, source: str, **options: Any) -> Job:
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "a.ipynb").write_text(json.dumps(document))
    return Job(folder / "a.ipynb", folder / "out" / "a.ipynb", folder, {}, **options)


def shown(made: Job) -> str:
    cells = json.loads(made.target.read_text(encoding="utf-8"))["cells"]
    return "".join("".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", ()))


def is_alive(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def gone(pid: int, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not is_alive(pid)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os._exit(0)", 0),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
    ],
)
def test_a_dead_kernel_is_noticed_and_says_how_it_ended(tmp_path: Path, source: str, code: int) -> None:
    made = job(tmp_path, f"import os, signal\nprint('so far', flush=True)\nimport time; time.sleep(0.5)\n{source}")
    with closing(Kernel({})) as kernel:
        ending = execute(made, kernel)
    assert isinstance(ending, KernelDied)
    assert ending.code == code
    assert shown(made) == "so far\n"


C_LOOP = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
print('so far', flush=True)
time.sleep(0.3)
sum(range(10 ** 13))
"""


@pytest.mark.parametrize("source", ["print('so far', flush=True)\nwhile True: pass", C_LOOP])
def test_a_step_beyond_its_time_is_ended_and_its_output_kept(tmp_path: Path, source: str) -> None:
    with closing(Kernel({})) as kernel:
        assert execute(job(tmp_path, "1"), kernel) == Completed()  # that it starts is not measured
        made = job(tmp_path, source, timeout=2.0)
        begun = time.monotonic()
        assert execute(made, kernel) == TimedOut(2.0)
        assert time.monotonic() - begun < 60  # the code itself never ends
    assert shown(made) == "so far\n"


GRANDCHILD = "import subprocess\nprint(subprocess.Popen(['sleep', '300']).pid)"


@pytest.mark.parametrize("gently", [True, False])
def test_what_a_step_started_ends_with_it(tmp_path: Path, gently: bool) -> None:
    made = job(tmp_path, GRANDCHILD)
    kernel = Kernel({})
    assert execute(made, kernel) == Completed()
    pid = int(shown(made))
    assert is_alive(pid)
    kernel.close(gently=gently)
    assert gone(pid)


def test_what_a_dead_kernel_started_ends_too(tmp_path: Path) -> None:
    made = job(tmp_path, f"{GRANDCHILD}\nimport os, sys, time\nsys.stdout.flush(); time.sleep(0.5); os._exit(1)")
    with closing(Kernel({})) as kernel:
        assert isinstance(execute(made, kernel), KernelDied)
    assert gone(int(shown(made)))


RUNNER = """
import sys
from pathlib import Path
from nbmlops.runtime.schedule.execute import Job, execute
from nbmlops.runtime.kernels.kernel import Kernel
folder = Path(sys.argv[1])
execute(Job(folder / "a.ipynb", folder / "out" / "a.ipynb", folder, {}), Kernel({}))
"""


def test_nothing_outlives_a_runner_that_is_killed(tmp_path: Path, tiny: ModuleType) -> None:
    import subprocess

    job(
        tmp_path,
        "import os, subprocess\nfrom pathlib import Path\nchild = subprocess.Popen(['sleep', '300'])\n"
        "Path('new').write_text(f'{os.getpid()} {child.pid}')\nPath('new').rename('pids')\nsum(range(10 ** 13))",
    )
    with subprocess.Popen([sys.executable, "-c", RUNNER, str(tmp_path)]) as runner:
        tiny.until((tmp_path / "pids").exists)
        runner.kill()
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert [gone(pid, 4.0) for pid in pids] == [True, True]


def test_a_kernel_that_is_never_ready_says_what_it_wrote(tmp_path: Path) -> None:
    slow = "import os, time\nos.write(2, b'waiting for a licence')\ntime.sleep(60)\n"
    (tmp_path / "sitecustomize.py").write_text(slow)
    with closing(Kernel({"PYTHONPATH": str(tmp_path)})) as kernel:
        ending = execute(job(tmp_path, "1", ready_within=2.0), kernel)
    assert ending == NeverReady(2.0, "waiting for a licence")


STRAY = """
import asyncio, threading
def broken():
    raise ValueError("no disk")
thread = threading.Thread(target=broken, name="writer")
thread.start(); thread.join()
x = 1
"""


def test_an_exception_in_a_thread_is_a_warning_and_fails_a_strict_run(tmp_path: Path, tiny: ModuleType) -> None:
    folder = tiny.write_pipeline(tmp_path, [tiny.Sketch("make", STRAY, outputs=("x",))])
    events: list[Any] = []
    assert tiny.run(folder, events).status is RunStatus.SUCCEEDED
    assert [event for event in events if isinstance(event, StepWarned)] == [
        StepWarned("make", ("ValueError in writer: no disk",))
    ]
    again = tiny.run(folder, strict=True)
    assert again.status is RunStatus.FAILED
    assert (again.steps[0].error.name, again.steps[0].error.message) == ("StrictRun", "ValueError in writer: no disk")


def test_a_gigabyte_of_prints_is_cut_with_a_visible_mark(tmp_path: Path, tiny: ModuleType) -> None:
    body = "line = 'x' * 999_999\nfor _ in range(1000): print(line)\nx = 1"
    tiny.run(tiny.write_pipeline(tmp_path / "first", [tiny.Sketch("make", "x = 1", outputs=("x",))]))  # imports all
    folder = tiny.write_pipeline(tmp_path, [tiny.Sketch("make", body, outputs=("x",))])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = tiny.run(folder)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert result.steps[0].status is StepStatus.EXECUTED
    text = (tmp_path / result.steps[0].notebook).read_text(encoding="utf-8")
    assert len(text) < 11_000_000
    assert "a cell printed more than 10 MiB; the rest is left out" in text
    assert "[left out: 943.7 MiB]" in text
    assert grown < 64 * 1024


def test_whatever_is_printed_is_stored_as_valid_json(tmp_path: Path, tiny: ModuleType) -> None:
    body = r"print('\x00 \ud800 \x1b[31mred\x1b[0m é'); print('y' * 10_000_000); x = 1"
    folder = tiny.write_pipeline(tmp_path, [tiny.Sketch("make", body, outputs=("x",))])
    notebook = tmp_path / tiny.run(folder).steps[0].notebook
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "".join("".join(output["text"]) for cell in cells for output in cell["outputs"] if "text" in output)
    assert text.splitlines() == ["\x00 \\ud800 \x1b[31mred\x1b[0m é", "y" * 10_000_000]


@pytest.mark.parametrize("once", [False, True])
def test_a_step_that_may_be_tried_again_is(tmp_path: Path, tiny: ModuleType, *, once: bool) -> None:
    from msgspec.structs import replace

    from nbmlops.pipeline.codec import pipeline_to_yaml, read_pipeline

    body = """
    import os
    from pathlib import Path
    tries = int(Path("tries").read_text()) if Path("tries").exists() else 0
    Path("tries").write_text(str(tries + 1))
    if tries == 0:
        raise OSError("the line is busy")
    if tries == 1:
        os._exit(7)
    x = tries
    """
    folder = tiny.write_pipeline(tmp_path, [tiny.Sketch("make", body, outputs=("x",))])
    pipeline = read_pipeline(folder / "pipeline.yaml")
    steps = tuple(replace(step, retries=2, backoff=5.0) for step in pipeline.steps)
    (folder / "pipeline.yaml").write_bytes(pipeline_to_yaml(replace(pipeline, steps=steps), {}))
    events: list[Any] = []
    waits: list[float] = []
    if once:  # whoever asked for the step tries it again
        assert tiny.run(folder, events, sleep=waits.append, once=True).status is RunStatus.FAILED
        assert (waits, (tmp_path / "tries").read_text()) == ([], "1")
        return
    result = tiny.run(folder, events, sleep=waits.append)
    assert result.status is RunStatus.SUCCEEDED
    assert waits == [5.0, 10.0]
    told = [(e.tries, e.most, e.wait, e.error.name) for e in events if isinstance(e, StepRetried)]
    assert told == [(1, 3, 5.0, "OSError"), (2, 3, 10.0, "DeadKernel")]
    kept = sorted(path.name for path in result.folder.iterdir())
    assert kept == ["01_make.ipynb", "01_make.try1.ipynb", "01_make.try2.ipynb"]
    assert Path(tmp_path / "tries").exists()
