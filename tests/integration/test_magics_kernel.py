"""The magics in a real kernel: a notebook is executed by nbclient and papermill against a SQLite store."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.tracker import RunFacts, RunState

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RULES = """\
[tracking]
experiment = "demo"

[[gate.rules]]
name = "r2 floor"
metric = "r2"
min = 0.5

[[gate.rules]]
name = "not worse"
metric = "r2"
baseline = "champion"
max_drop = 0.0
"""
TRACK = "%load_ext nbmlops\n%mlops track"
PARAMETERS = "slope = 2.0\nrows = 40"
LOAD = """\
%%mlops step load
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

frame = pd.DataFrame({"x": np.arange(rows, dtype="float64")})
target = slope * frame["x"] + np.sin(frame["x"])
%mlops data frame --context training
%mlops check frame --schema frame"""
TRAIN = """\
%%mlops step train
model = LinearRegression().fit(frame, target)
%mlops metric r2 = model.score(frame, target)
%mlops param kind "linear" """
GATE = "%mlops gate"
REGISTER = "%mlops register model --data frame --name line"
CELLS = (TRACK, PARAMETERS, LOAD, TRAIN, GATE, REGISTER)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project with rules, in which kernels find nbmlops and nothing of this machine's settings."""
    (tmp_path / "nbmlops.toml").write_text(RULES)
    for name in ("MLFLOW_TRACKING_URI", "JPY_SESSION_NAME", "IPYNB_FILE", "NBMLOPS_STEP_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, *sources: str) -> Path:
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell(source) for source in sources]
    for cell in cells:
        if cell.source == PARAMETERS:
            cell.metadata["tags"] = ["parameters"]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


def execute(path: Path, *, allow_errors: bool = False) -> Any:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=120, allow_errors=allow_errors, resources={"metadata": {"path": str(path.parent)}}
    )
    return client.execute()


def plain(cell: Any) -> list[str]:
    """The first line of each result of a cell as text."""
    return [output["data"]["text/plain"].splitlines()[0] for output in cell.outputs if "data" in output]


def runs(project: Path) -> list[RunFacts]:
    """All runs of the project, oldest first."""
    with closing(sqlite3.connect(project / "mlflow.db")) as store:
        ids = [row[0] for row in store.execute("select run_uuid from runs order by start_time")]
    tracker = MlflowTracker("sqlite:///mlflow.db", project)
    return [tracker.run_facts(run_id) for run_id in ids]


def states(project: Path) -> list[str]:
    return [run.state.value for run in runs(project)]


def test_a_notebook_is_tracked_judged_and_registered(project: Path):
    executed = execute(write(project / "line.ipynb", *CELLS))
    (run,) = runs(project)
    assert run.state is RunState.FINISHED
    assert run.params == {"slope": "2.0", "rows": "40", "kind": "linear"}
    assert run.metrics.keys() == {"r2"}
    digest = run.data["frame"]
    assert len(digest) == 32
    expected = {"verdict": "pass", "check.frame": "pass", "data.frame": digest, "run_id": run.run_id}
    assert {name: run.tags[f"nbmlops.{name}"] for name in expected} == expected
    assert run.tags["mlflow.source.name"] == "line.ipynb"
    assert len(run.tags["nbmlops.notebook_digest"]) == 64
    assert [plain(cell) for cell in executed.cells] == [
        [f"RUN line ({run.run_id})"],
        [],
        ["NEW schema frame inferred from frame"],
        ["PARAM kind = 'linear'"],
        ["PASS gate (1 of 2 rules passed, 1 not applicable)"],
        ["REGISTERED line version 1 as champion"],
    ]
    assert (project / "schemas" / "frame.yaml").is_file()
    html = executed.cells[4].outputs[0]["data"]["text/html"]
    assert "<caption" in html
    assert "<script" not in html

    again = execute(project / "line.ipynb")
    assert plain(again.cells[2]) == ["PASS frame keeps schema frame"]
    assert plain(again.cells[5]) == ["REGISTERED line version 2 as challenger"]
    assert [run.tags["nbmlops.verdict"] for run in runs(project)] == ["pass", "pass"]


def test_papermill_parameters_are_the_ones_that_are_logged(project: Path):
    import papermill

    write(project / "line.ipynb", *CELLS[:4])
    papermill.execute_notebook(
        "line.ipynb", str(project / "runs.ipynb"), {"slope": 3.5}, progress_bar=False, log_output=False
    )
    (run,) = runs(project)
    assert run.params == {"slope": "3.5", "rows": "40", "kind": "linear"}


def test_a_rejected_run_fails_the_register_cell_shortly(project: Path):
    path = write(
        project / "line.ipynb", TRACK, PARAMETERS, LOAD, "model = None\n%mlops metric r2 = 0.1", GATE, REGISTER
    )
    executed = execute(path, allow_errors=True)
    assert plain(executed.cells[4]) == ["FAIL gate (0 of 2 rules passed, 1 not applicable)"]
    (error,) = executed.cells[5].outputs
    assert (error["output_type"], error["ename"]) == ("error", "GateRejected")
    assert error["traceback"][0] == (
        "GateRejected: line is not registered: the gate rejected the run by r2 floor (0.1 is below 0.5)"
    )
    (run,) = runs(project)
    assert (run.state, run.tags["nbmlops.verdict"]) == (RunState.FAILED, "fail")


def test_a_broken_schema_stops_the_notebook(project: Path):
    from nbclient.exceptions import CellExecutionError

    execute(write(project / "line.ipynb", TRACK, PARAMETERS, LOAD))
    write(
        project / "line.ipynb",
        TRACK,
        PARAMETERS,
        LOAD.replace("%mlops check frame", "%mlops check frame[[]]"),
        "after = 1",
    )
    with pytest.raises(CellExecutionError, match="CheckFailed: frame breaks schema frame"):
        execute(project / "line.ipynb")
    assert states(project) == ["FINISHED", "FAILED"]


def test_a_dead_kernel_is_marked_killed_by_the_next_start(project: Path):
    from jupyter_client.manager import start_new_kernel

    write(project / "line.ipynb", TRACK, "x = 1")
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(project))
    try:
        reply = client.execute_interactive(TRACK, timeout=120, output_hook=lambda _message: None)
        assert reply["content"]["status"] == "ok"
        assert states(project) == ["RUNNING"]
        os.kill(manager.provisioner.pid, signal.SIGKILL)
        while manager.is_alive():
            time.sleep(0.05)
    finally:
        client.stop_channels()
        manager.cleanup_resources()
    execute(project / "line.ipynb")
    assert states(project) == ["KILLED", "FINISHED"]


def test_a_session_is_resumed_and_stopped(project: Path):
    path = write(
        project / "line.ipynb",
        TRACK,
        "%mlops track",
        "%mlops metric r2 = 0.9",
        "%mlops track --stop",
        "%mlops metric r2 = 1",
    )
    executed = execute(path, allow_errors=True)
    (run,) = runs(project)
    assert (run.state, run.params, run.metrics) == (RunState.FINISHED, {}, {"r2": 0.9})
    assert plain(executed.cells[0]) == plain(executed.cells[1])
    assert plain(executed.cells[3]) == [f"FINISHED line ({run.run_id})"]
    assert executed.cells[4].outputs[0]["ename"] == "UsageError"


def test_two_notebooks_that_could_be_this_one_are_told(project: Path):
    write(project / "copy.ipynb", TRACK, GATE)
    executed = execute(write(project / "line.ipynb", TRACK, GATE), allow_errors=True)
    text = executed.cells[0].outputs[0]["data"]["text/plain"]
    assert re.search(r"notebook +unknown\n", text)
    assert text.endswith(
        "which notebook this is cannot be found out here: tell it with `%mlops track --notebook PATH.ipynb`"
    )
    assert executed.cells[1].outputs[0]["traceback"] == [
        "UsageError: the notebook is not known, and so neither are its rules nor its champion",
        "hint: tell it with `%mlops track --notebook PATH.ipynb`",
    ]


def test_show_displays_values_and_figures_where_cells_ended(project: Path):
    body = "def two_cells():\n    plt.plot([1, 2])\n    show(3)\n    plt.plot([2, 1])\n    show()\n    print('end')"
    executed = execute(
        write(
            project / "figures.ipynb", "import matplotlib.pyplot as plt\nfrom nbmlops import show", body, "two_cells()"
        )
    )
    kinds = [
        sorted(output["data"]) if "data" in output else [output["output_type"]] for output in executed.cells[2].outputs
    ]
    assert kinds == [["text/plain"], ["image/png", "text/plain"], ["image/png", "text/plain"], ["stream"]]
