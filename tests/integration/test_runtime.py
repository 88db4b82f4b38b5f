"""Hand-written pipelines, run with real kernels: caching, hand-over, failures, interruptions, plain papermill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import Conflict
from nbmlops.pipeline.codec import pipeline_to_yaml
from nbmlops.pipeline.ir import Input, Parameter, ParameterType, Pipeline, SourceLines, Step, StepMode
from nbmlops.pipeline.run_record import MetricValue, RunStatus, StepStatus
from nbmlops.runtime.handover.values import load_value
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.events import Event, InputsChanged, NotCacheable, StepStarted, ValueDamaged
from nbmlops.runtime.schedule.results import RunOptions, StepsResult

HEADER = 3  # lines of a generated module above the code of the step


class Sketch(Struct, frozen=True):
    """A step as a test writes it: the body of its function, and its interface."""

    name: str
    body: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    imports: str = "import random"


def write_pipeline(root: Path, sketches: list[Sketch], parameters: Mapping[str, Any] | None = None) -> Path:
    """Writes `root/pipelines/tiny` as the compiler would, in a thinner form."""
    folder, package = root / "pipelines" / "tiny", root / "pipelines" / "tiny" / "tiny"
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "helpers.py").write_text("class Box:\n    def __init__(self, items):\n        self.items = items\n")
    steps = []
    for number, sketch in enumerate(sketches, start=1):
        arguments = ", ".join([*sketch.parameters, *sketch.inputs])
        returned = ", ".join(sketch.outputs)
        body = dedent(sketch.body).strip("\n")
        code = f"{sketch.imports}\n\ndef {sketch.name}({arguments}):\n{indent(body, '    ')}\n    return {returned}\n"
        (package / f"{sketch.name}.py").write_text(code)
        notebook = f"notebooks/{number:02d}_{sketch.name}.ipynb"
        (folder / notebook).write_text(json.dumps(step_notebook(sketch, parameters or {})))
        lines = SourceLines(HEADER + 1, body.count("\n") + 1, 10 * number, f"cell{number}", 1)
        steps.append(
            Step(
                name=sketch.name,
                module=sketch.name,
                mode=StepMode.FUNCTION,
                reason="",
                cells=(10 * number,),
                cell_ids=(f"cell{number}",),
                inputs=tuple(Input(name, step) for name, step in sketch.inputs.items()),
                outputs=sketch.outputs,
                after=tuple(dict.fromkeys(sketch.inputs.values())),
                parameters=sketch.parameters,
                files=sketch.files,
                modules=(sketch.name, "helpers"),
                notebook=notebook,
                digest=digest_bytes(code.encode()),
                lines=(lines,),
            )
        )
    types = {int: ParameterType.INT, float: ParameterType.FLOAT, str: ParameterType.STR, list: ParameterType.LIST}
    pipeline = Pipeline(
        name="tiny",
        title="Tiny",
        notebook="../../tiny.ipynb",
        root="../..",
        notebook_digest="0" * 64,
        cell_digests={},
        version="0" * 64,
        parameters=tuple(Parameter(n, types[type(v)], v) for n, v in (parameters or {}).items()),
        steps=tuple(steps),
    )
    generated = [path for path in folder.rglob("*") if path.is_file() and path.suffix in {".py", ".ipynb"}]
    files = {path.relative_to(folder).as_posix(): digest_bytes(path.read_bytes()) for path in generated}
    (folder / "pipeline.yaml").write_bytes(pipeline_to_yaml(pipeline, files))
    return folder


def step_notebook(sketch: Sketch, parameters: Mapping[str, Any]) -> dict[str, Any]:
    names = ", ".join(sketch.outputs)
    load = f"from nbmlops.runtime.step import open_step\n\nstep = open_step({sketch.name!r})\n"
    load += f"from tiny.{sketch.name} import {sketch.name}\n"
    if sketch.inputs:
        load += f"{', '.join(sketch.inputs)} = step.load({', '.join(map(repr, sketch.inputs))})\n"
    call = f"{sketch.name}({', '.join([*sketch.parameters, *sketch.inputs])})"
    cells = [
        ("\n".join(f"{name} = {parameters[name]!r}" for name in sketch.parameters), ["parameters"]),
        (load, []),
        (f"{names} = {call}" if names else call, []),
        (f"step.save({', '.join(f'{name}={name}' for name in sketch.outputs)})", []),
    ]
    return {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"c{number}",
                "metadata": {"tags": tags},
                "outputs": [],
                "source": source,
            }
            for number, (source, tags) in enumerate(cells)
            if source
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def run(folder: Path, events: list[Event] | None = None, **options: Any) -> StepsResult:
    base = folder.parent.parent
    result = run_pipeline(folder, RunOptions(base=base, **options), (events if events is not None else []).append)
    for step in result.steps:
        if step.error is not None:
            print(step.error.traceback)  # noqa: T201 - pytest shows it when a test fails
    return result


def outcomes(result: StepsResult) -> list[tuple[str, str, str]]:
    return [(step.name, step.status.value, step.reason) for step in result.steps]


MAKE = Sketch(
    "make",
    """
    import pandas as pd
    frame = pd.read_csv("rows.csv")
    frame["double"] = frame["x"] * factor
    label = ("made", 1)
    """,
    outputs=("frame", "label"),
    parameters=("factor",),
)
SUM = Sketch(
    "add",
    """
    from nbmlops.runtime.step import current_step
    from nbmlops.pipeline.run_record import MetricValue
    import rule
    total = rule.total(frame["double"])
    current_step().metric(MetricValue("total", float(total)))
    print("the total is", total)
    """,
    inputs={"frame": "make"},
    outputs=("total",),
)


@pytest.mark.slow
def test_steps_run_once_and_again_only_for_a_reason(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x\n1\n2\n")
    (tmp_path / "rule.py").write_text("def total(column):\n    return int(column.sum())\n")
    folder = write_pipeline(tmp_path, [MAKE, SUM], {"factor": 2})

    (tmp_path / "runs" / "tiny" / "killed" / ".nbmlops-12").mkdir(parents=True)

    first = run(folder)
    assert outcomes(first) == [("make", "executed", "new"), ("add", "executed", "new")]
    assert list((tmp_path / "runs" / "tiny").glob("*/.*")) == []
    assert first.status is RunStatus.SUCCEEDED
    assert load_value(folder, first, "total") == 6
    assert load_value(folder, first, "label") == ("made", 1)
    assert first.steps[1].log.metrics == (MetricValue("total", 6.0),)
    assert first.steps[1].notebook == f"runs/tiny/{first.run}/02_add.ipynb"
    executed = json.loads((tmp_path / first.steps[1].notebook).read_text())
    assert [o["text"] for cell in executed["cells"] for o in cell.get("outputs", [])] == [["the total is 6\n"]]
    assert str(tmp_path) not in json.dumps(executed)

    second = run(folder)
    assert outcomes(second) == [("make", "cached", "unchanged"), ("add", "cached", "unchanged")]
    assert second.all_cached
    assert not second.folder.exists()
    assert second.steps[1].log == first.steps[1].log
    assert second.steps[1].notebook == first.steps[1].notebook
    assert second.values == first.values
    assert second.origins == {"make": first.run, "add": first.run}

    third = run(folder, parameters={"factor": 3})
    assert outcomes(third) == [
        ("make", "executed", "parameter factor changed"),
        ("add", "executed", "input frame changed"),
    ]
    assert load_value(folder, third, "total") == 9
    assert outcomes(run(folder)) == [("make", "cached", "unchanged"), ("add", "cached", "unchanged")]

    (tmp_path / "rows.csv").write_text("x\n1\n20\n")
    changed = run(folder)
    assert outcomes(changed) == [
        ("make", "executed", "file changed: rows.csv"),
        ("add", "executed", "input frame changed"),
    ]
    assert load_value(folder, changed, "total") == 42

    (tmp_path / "rule.py").write_text("def total(column):\n    return int(column.sum()) + 1000\n")
    assert outcomes(run(folder)) == [("make", "cached", "unchanged"), ("add", "executed", "file changed: rule.py")]


@pytest.mark.slow
def test_a_new_file_for_a_glob_and_an_edited_method_of_a_value_are_reasons(tmp_path: Path) -> None:
    read = "from pathlib import Path\nn = len([path.read_text() for path in Path('data').glob('*.csv')])"
    box = "from tiny.helpers import Box\nbox = Box([1])"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "january.csv").write_text("1")
    sketches = [
        Sketch("read", read, outputs=("n",)),
        Sketch("make", box, outputs=("box",)),
        Sketch("use", "count = box.count()", inputs={"box": "make"}, outputs=("count",)),
    ]
    folder = write_pipeline(tmp_path, sketches)
    helpers = folder / "tiny" / "helpers.py"
    helpers.write_text(helpers.read_text() + "    def count(self):\n        return len(self.items)\n")
    assert run(folder).status is RunStatus.SUCCEEDED
    (tmp_path / "unrelated.csv").write_text("2")
    assert run(folder).all_cached

    (tmp_path / "data" / "february.csv").write_text("2")
    other = run(folder)
    assert outcomes(other)[0] == ("read", "executed", "other files match data/*.csv")
    assert [step.status.value for step in other.steps] == ["executed", "cached", "cached"]
    assert load_value(folder, other, "n") == 2

    helpers.write_text(helpers.read_text().replace("len(self.items)", "len(self.items) + 1"))
    assert load_value(folder, run(folder), "count") == 2


def test_aliases_views_random_state_and_package_classes_survive_the_step_border(tmp_path: Path) -> None:
    make = Sketch(
        "make",
        """
        import numpy as np
        np.random.seed(3); random.seed(3)
        rows = [1, 2]
        same = rows
        grid = np.zeros((3, 4))
        column = grid[:, 1]
        box = Box({5, 7, 10**6})
        first = (float(np.random.rand()), random.random())
        """,
        outputs=("rows", "same", "grid", "column", "box", "first"),
        imports="import random\nfrom tiny.helpers import Box",
    )
    use = Sketch(
        "use",
        """
        import numpy as np
        rows.append(3)
        column[0] = 5.0
        second = (float(np.random.rand()), random.random())
        """,
        inputs={"rows": "make", "column": "make"},
        outputs=("second",),
    )
    end = Sketch(
        "end",
        """
        numbers = [float(grid[0, 1]), float(grid.sum())]
        facts = [same is rows, list(same), *numbers, sorted(box.items), type(box).__module__]
        """,
        inputs={"rows": "make", "same": "make", "grid": "make", "box": "make"},
        outputs=("facts",),
    )
    folder = write_pipeline(tmp_path, [replace(make, imports=make.imports.replace("\n", "; ", 1)), use, end])

    events: list[Event] = []
    result = run(folder, events)

    assert load_value(folder, result, "facts") == [True, [1, 2, 3], 5.0, 5.0, [5, 7, 10**6], "tiny.helpers"]
    import random

    import numpy as np

    np.random.seed(3)
    random.seed(3)
    drawn = [(float(np.random.rand()), random.random()) for _ in range(2)]
    assert [load_value(folder, result, "first"), load_value(folder, result, "second")] == drawn
    changed = [event for event in events if isinstance(event, InputsChanged)]
    assert [(event.step, set(event.names)) for event in changed] == [("use", {"rows", "same", "grid", "column"})]
    assert {step.status for step in run(folder).steps} == {StepStatus.CACHED}


def test_a_failing_step_names_notebook_cell_and_line_and_stops_the_run(tmp_path: Path) -> None:
    make = Sketch("make", "rows = [1]", outputs=("rows",))
    fail = Sketch(
        "fail",
        """
        from nbmlops.runtime.step import current_step
        from nbmlops.pipeline.run_record import MetricValue
        current_step().metric(MetricValue("before", 1.0))
        half = 1 / (len(rows) - 1)
        """,
        inputs={"rows": "make"},
        outputs=("half",),
    )
    end = Sketch("end", "x = half", inputs={"half": "fail"}, outputs=("x",))
    folder = write_pipeline(tmp_path, [make, fail, end])

    result = run(folder)

    assert result.status is RunStatus.FAILED
    assert outcomes(result) == [("make", "executed", "new"), ("fail", "failed", "new"), ("end", "skipped", "")]
    error = result.steps[1].error
    assert error is not None
    assert (error.name, error.message, error.cell, error.line) == ("ZeroDivisionError", "division by zero", 20, 4)
    assert error.traceback == dedent(
        """\
        Traceback (most recent call last):
          tiny.ipynb cell 20 line 4, in fail
            half = 1 / (len(rows) - 1)
        ZeroDivisionError: division by zero"""
    )
    assert result.steps[1].log.metrics == (MetricValue("before", 1.0),)
    assert "ZeroDivisionError" in (tmp_path / result.steps[1].notebook).read_text()
    folder = write_pipeline(tmp_path, [make, replace(fail, body="half = 0.5"), end])
    again = run(folder)
    assert [(step.name, step.status.value) for step in again.steps] == [
        ("make", "cached"),
        ("fail", "executed"),
        ("end", "executed"),
    ]


@pytest.mark.parametrize(
    ("body", "name", "message"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "DeadKernel", "its process was killed by SIGKILL"),
        ("import os\nos._exit(0)", "DeadKernel", "its process ended with exit code 0"),
        ("import sys\nsys.exit(0)", "SystemExit", "the step ended before it handed over its results"),
        ("import sys\nsys.exit(3)", "SystemExit", "3"),
    ],
)
def test_a_step_that_ends_its_process_has_failed(tmp_path: Path, body: str, name: str, message: str) -> None:
    folder = write_pipeline(tmp_path, [Sketch("make", body + "\nx = 1", outputs=("x",))])

    result = run(folder)

    error = result.steps[0].error
    assert result.status is RunStatus.FAILED
    assert error is not None
    assert (error.name, error.message) == (name, message)
    assert "IPKernelApp" not in error.traceback


def test_a_step_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path, [Sketch("make", "import time\ntime.sleep(60)\nx = 1", outputs=("x",))])

    error = run(folder, timeout=1.0).steps[0].error

    assert error is not None
    assert (error.name, error.message) == ("Timeout", "the step ran longer than 1 seconds")


def test_a_damaged_value_is_made_again_and_never_loaded(tmp_path: Path) -> None:
    make = Sketch("make", "rows = [Box(1)]", outputs=("rows",), imports="from tiny.helpers import Box")
    use = Sketch("use", "x = rows[0].items + bonus", inputs={"rows": "make"}, outputs=("x",), parameters=("bonus",))
    folder = write_pipeline(tmp_path, [make, use], {"bonus": 1})
    first = run(folder)
    stored = first.values["rows"]
    path = tmp_path / ".nbmlops" / "store" / stored.ref.digest[:2] / stored.ref.digest[2:]
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    events: list[Event] = []
    second = run(folder, events, parameters={"bonus": 2})

    assert ValueDamaged("make", ("rows",)) in events
    took = [step.seconds for step in first.steps]
    assert [(event.reason, event.last) for event in events if isinstance(event, StepStarted)] == [
        ("stored value of rows is gone", took[0]),
        ("parameter bonus changed", took[1]),
    ]
    assert load_value(folder, second, "x") == 3
    assert len(list((tmp_path / ".nbmlops" / "store" / "quarantine").iterdir())) == 1


def test_parameters_arrive_as_data_with_their_types(tmp_path: Path) -> None:
    values = {"text": "a\"b'\\\n\x00\ud800{x}", "number": float("inf"), "many": [1, 1.0, None, True, {"k": "v"}]}
    folder = write_pipeline(
        tmp_path,
        [Sketch("make", "seen = [text, number, many]", outputs=("seen",), parameters=tuple(values))],
        {"text": "", "number": 0.5, "many": [1]},
    )

    result = run(folder, parameters=values)

    assert result.steps[0].error is None
    assert repr(load_value(folder, result, "seen")) == repr(list(values.values()))


@pytest.mark.slow
def test_each_step_notebook_runs_under_plain_papermill(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x\n1\n2\n")
    (tmp_path / "rule.py").write_text("def total(column):\n    return int(column.sum())\n")
    folder = write_pipeline(tmp_path, [MAKE, SUM], {"factor": 2})
    for number, name, arguments in [(1, "make", ["-p", "factor", "5"]), (2, "add", [])]:
        out = tmp_path / f"out{number}.ipynb"
        command = [sys.executable, "-m", "papermill", f"notebooks/{number:02d}_{name}.ipynb", str(out), *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    assert "the total is 15" in out.read_text()


RUNNER = """
import sys
from pathlib import Path
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.runner import run_pipeline
result = run_pipeline(Path(sys.argv[1]), RunOptions(), lambda event: print(type(event).__name__, flush=True))
print(result.status.value, result.signal, [step.status.value for step in result.steps], flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_was_done_and_goes_on_later(tmp_path: Path, number: signal.Signals) -> None:
    make = Sketch("make", "rows = [1]", outputs=("rows",))
    wait = Sketch(
        "wait",
        """
        from pathlib import Path
        import time
        Path("waiting").touch()
        time.sleep(0 if Path("go").exists() else 600)
        x = len(rows)
        """,
        inputs={"rows": "make"},
        outputs=("x",),
    )
    folder = write_pipeline(tmp_path, [make, wait])
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        until((tmp_path / "waiting").exists)
        with pytest.raises(Conflict, match=f"process {process.pid}, since"):
            run(folder, wait=0.0)
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=60)
    assert out.splitlines()[-1] == f"interrupted {number.name} ['executed', 'skipped']"
    assert err == ""

    (tmp_path / "go").touch()
    again = run(folder)
    assert [step.status.value for step in again.steps] == ["cached", "executed"]
    assert load_value(folder, again, "x") == 1


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_step_that_reads_from_the_network_is_not_reused(tmp_path: Path) -> None:
    body = """
    import http.client
    try:
        http.client.HTTPConnection("127.0.0.1", 9, timeout=1).connect()
    except OSError:
        pass
    x = 1
    """
    folder = write_pipeline(tmp_path, [Sketch("ask", body, outputs=("x",))])
    events: list[Event] = []
    run(folder, events)
    assert NotCacheable("ask", "it reads from the network (127.0.0.1)") in events
    assert run(folder).steps[0].reason == "never reused: it reads from the network (127.0.0.1)"
