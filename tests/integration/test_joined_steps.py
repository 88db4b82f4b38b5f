"""Steps that run in one process, because a value cannot be stored: with real kernels, through the runner."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from nbmlops.pipeline.codec import pipeline_to_yaml, read_pipeline, recorded_files
from nbmlops.pipeline.ir import Input, MetricSource
from nbmlops.pipeline.run_record import JoinedSteps, LiveValue, RunStatus
from nbmlops.runtime.handover.values import load_value
from nbmlops.runtime.schedule.events import Event, StepsJoined
from tests.integration.test_runtime import RUNNER, Sketch, outcomes, run, until, write_pipeline

MAKE = Sketch(
    "make",
    """
    import os
    gen = (x * x for x in range(6))
    seen = [next(gen)]
    process = os.getpid()
    """,
    outputs=("gen", "seen", "process"),
)
USE = Sketch(
    "use",
    """
    import os
    seen.append(next(gen))
    same = process == os.getpid()
    left = sorted(name for name in vars(__import__("__main__")) if not name.startswith("_"))
    """,
    inputs={"gen": "make", "seen": "make", "process": "make"},
    outputs=("gen", "same", "left"),
)
END = Sketch(
    "end",
    """
    import os
    rest = [*seen, *gen]
    alone = process != os.getpid()
    """,
    inputs={"gen": "use", "seen": "make", "process": "make"},
    outputs=("rest", "alone"),
)
AFTER = Sketch(
    "after",
    """
    import os
    total = sum(rest) * factor
    apart = process != os.getpid()
    """,
    inputs={"rest": "end", "process": "make"},
    outputs=("total", "apart"),
    parameters=("factor",),
)
REASON = "cannot pickle 'generator' object"
JOINED = JoinedSteps(("make", "use", "end"), (LiveValue("gen", "generator", REASON),))


@pytest.mark.slow
def test_steps_share_a_process_up_to_the_last_reader_and_are_reused_together(tmp_path: Path) -> None:
    sketches = [MAKE, USE, END, AFTER]
    folder = write_pipeline(tmp_path, sketches, {"factor": 1})
    events: list[Event] = []

    first = run(folder, events)

    assert outcomes(first) == [
        ("make", "executed", "new"),
        ("use", "executed", "joined with make"),
        ("end", "executed", "joined with make"),
        ("after", "executed", "new"),
    ]
    values = {name: load_value(folder, first, name) for name in ("rest", "same", "alone", "apart", "total")}
    assert values == {"rest": [0, 1, 4, 9, 16, 25], "same": True, "alone": False, "apart": True, "total": 55}
    own = ["gen", "open_step", "process", "seen", "step", "use"]
    assert set(load_value(folder, first, "left")) - set(own) == {"In", "Out", "exit", "get_ipython", "open", "quit"}
    assert "gen" not in first.values
    assert first.joined == (JOINED,)
    assert [event.joined for event in events if isinstance(event, StepsJoined)] == [JOINED]
    noted = [json.loads((tmp_path / step.notebook).read_text())["metadata"].get("nbmlops") for step in first.steps]
    unit = {
        "steps": ["make", "use", "end"],
        "values": [{"name": "gen", "type": "generator", "reason": REASON}],
    }
    assert noted == [unit, unit, unit, None]

    again = run(folder)
    assert again.all_cached
    assert again.joined == (JOINED,)

    other = run(folder, parameters={"factor": 2})
    assert [step.status.value for step in other.steps] == ["cached", "cached", "cached", "executed"]

    edited = replace(END, body=END.body.replace("*gen]", "*gen, 100]"))
    folder = write_pipeline(tmp_path, [MAKE, USE, edited, AFTER], {"factor": 1})
    third = run(folder)
    assert outcomes(third) == [
        ("make", "executed", "joined with end: code changed"),
        ("use", "executed", "joined with make"),
        ("end", "executed", "joined with make"),
        ("after", "executed", "parameter factor changed; input process changed; input rest changed"),
    ]
    assert load_value(folder, third, "total") == 155

    back = run(write_pipeline(tmp_path, sketches, {"factor": 1}))
    assert back.all_cached, "the results of the first run as a whole"

    forced = run(folder, first="use", last="use")
    assert outcomes(forced) == [
        ("make", "executed", "joined with use: forced"),
        ("use", "executed", "joined with make"),
        ("end", "executed", "joined with make"),
        ("after", "skipped", ""),
    ]


def test_a_later_one_of_joined_steps_that_fails_is_named_and_the_unit_runs_again(tmp_path: Path) -> None:
    make = Sketch("make", "opener = lambda: 1", outputs=("opener",))
    use = Sketch("use", "x = opener() / 0", inputs={"opener": "make"}, outputs=("x",))
    folder = write_pipeline(tmp_path, [make, use])

    result = run(folder)

    assert [(step.name, step.status.value) for step in result.steps] == [("make", "executed"), ("use", "failed")]
    error = result.steps[1].error
    assert error is not None
    assert (error.name, error.cell, error.line) == ("ZeroDivisionError", 20, 1)
    again = run(write_pipeline(tmp_path, [make, replace(use, body="x = opener() / 2")]))
    assert outcomes(again) == [
        ("make", "executed", "joined with use: new"),
        ("use", "executed", "joined with make"),
    ]
    assert load_value(folder, again, "x") == 0.5


def test_a_dead_process_and_a_time_limit_end_joined_steps(tmp_path: Path) -> None:
    make = Sketch("make", "opener = lambda: 1", outputs=("opener",))
    die = Sketch("die", "import os\nos._exit(opener())", inputs={"opener": "make"})
    error = run(write_pipeline(tmp_path, [make, die])).steps[1].error
    assert error is not None
    assert (error.name, error.message) == ("DeadKernel", "its process ended with exit code 1")

    slow = Sketch("die", "import time\ntime.sleep(60)", inputs={"opener": "make"})
    error = run(write_pipeline(tmp_path, [make, slow]), timeout=5.0).steps[1].error
    assert error is not None
    assert error.name == "Timeout"


def test_open_files_locks_and_buffers_go_on(tmp_path: Path) -> None:
    make = Sketch(
        "make",
        """
        import sqlite3, threading
        out = open("log.txt", "w")
        out.write("one ")
        lock = threading.Lock()
        base = sqlite3.connect(":memory:")
        base.execute("create table t(x)")
        raw = bytearray(b"abc")
        window = memoryview(raw)[1:]
        """,
        outputs=("out", "lock", "base", "raw", "window"),
    )
    use = Sketch(
        "use",
        """
        with lock:
            out.write("two")
        out.close()
        base.execute("insert into t values (1)")
        window[0] = 90
        text = open("log.txt").read()
        rows = base.execute("select * from t").fetchall()
        """,
        inputs={"out": "make", "lock": "make", "base": "make", "window": "make"},
        outputs=("text", "rows"),
    )
    end = Sketch("end", "facts = [text, rows, bytes(raw)]", inputs=dict.fromkeys(["text", "rows", "raw"], "use"))
    folder = write_pipeline(tmp_path, [make, use, replace(end, outputs=("facts",))])
    result = run(folder)
    assert load_value(folder, result, "facts") == ["one two", [(1,)], b"aZc"]
    assert [joined.steps for joined in result.joined] == [("make", "use")]


def test_the_last_of_joined_steps_leaves_written_files_and_no_temporary_folder(tmp_path: Path) -> None:
    make = Sketch(
        "make",
        """
        import tempfile
        from pathlib import Path
        out = open("log.txt", "w")
        folder = tempfile.TemporaryDirectory()
        path = Path(folder.name)
        """,
        outputs=("out", "path"),
    )
    write = Sketch(
        "write", "out.write('never closed')\nis_there = path.is_dir()", inputs={"out": "make", "path": "make"}
    )
    folder = write_pipeline(tmp_path, [make, replace(write, outputs=("is_there",))])
    result = run(folder)
    assert load_value(folder, result, "is_there") is True
    assert (tmp_path / "log.txt").read_text() == "never closed"
    assert not load_value(folder, result, "path").exists()
    assert [value.name for value in result.joined[0].values] == ["out", "temporary folder"]


def test_values_that_the_closing_stages_read_must_be_stored(tmp_path: Path) -> None:
    make = Sketch("make", "score = lambda: 1", outputs=("score",))
    folder = write_pipeline(tmp_path, [make])
    document = folder / "pipeline.yaml"
    metric = MetricSource("score", Input("score", "make"))
    files = recorded_files(document)
    document.write_bytes(pipeline_to_yaml(replace(read_pipeline(document), metrics=(metric,)), files))

    error = run(folder).steps[0].error

    assert error is not None
    assert error.name == "StepFailed"
    assert error.message == (
        "'score' (function), which step 'make' makes in cell 10, cannot be stored: Can't pickle local object "
        "'make.<locals>.<lambda>'; the metrics read it from the store"
    )


@pytest.mark.slow
def test_a_joined_step_by_itself_says_how_to_run_it(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path, [MAKE, USE])
    command = [sys.executable, "-m", "papermill"]
    made = subprocess.run([*command, "notebooks/01_make.ipynb", str(tmp_path / "1.ipynb")], cwd=folder, check=False)
    assert made.returncode == 0
    used = subprocess.run(
        [*command, "notebooks/02_use.ipynb", str(tmp_path / "2.ipynb")],
        cwd=folder, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert used.returncode == 1
    message = f"step 'use' reads 'gen' (generator), which step 'make' makes and which cannot be stored: {REASON}"
    assert message in used.stderr.replace("\n", "")
    assert "run both in one process: nbmlops run tiny" in used.stderr
    assert run(folder).status is RunStatus.SUCCEEDED


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_runner_that_is_stopped_within_joined_steps(
    tmp_path: Path, number: signal.Signals
) -> None:
    body = "import os, time\nfrom pathlib import Path\nPath('pid').write_text(str(os.getpid()))\ntime.sleep(60)\ngen"
    wait = Sketch("wait", body, inputs={"gen": "make"})
    folder = write_pipeline(tmp_path, [MAKE, wait])
    command = [sys.executable, "-c", RUNNER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
        kernel = int((tmp_path / "pid").read_text())
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=30)
    if number != signal.SIGKILL:
        assert (out.splitlines()[-1], err) == (f"interrupted {number.name} ['executed', 'skipped']", "")
    until(lambda: not Path(f"/proc/{kernel}").exists())
