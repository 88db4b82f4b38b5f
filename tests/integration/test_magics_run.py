"""`%mlops run` in a real kernel: the pipeline of the notebook runs beside it, and the cell shows how it goes."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LOAD = "%load_ext nbmlops"
MAKE = "rows = [1, 2, 3]"
WAIT = """\
import time
from pathlib import Path
Path("waiting").touch()
time.sleep(0 if Path("go").exists() else 60)
total = sum(rows)"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one notebook, compiled, in which kernels find nbmlops."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    from nbmlops.cli.main import main

    for name in ("MLFLOW_TRACKING_URI", "JPY_SESSION_NAME", "IPYNB_FILE", "NBMLOPS_STEP_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nbmlops.toml").touch()
    cells = [
        new_code_cell(MAKE, metadata={"tags": ["step:make"]}),
        new_code_cell(WAIT, metadata={"tags": ["step:wait"]}),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "rows.ipynb")
    assert main(["compile", "rows.ipynb", "--format", "json"]) == 0
    return tmp_path


def run_cells(kernel: Any, *sources: str) -> list[list[dict[str, Any]]]:
    """The outputs of the cells; those that are shown in the place of others stand there."""
    _, client = kernel
    found = []
    for source in sources:
        outputs: dict[object, dict[str, Any]] = {}

        def take(message: Any, outputs: dict[object, dict[str, Any]] = outputs) -> None:
            kind, content = message["msg_type"], message["content"]
            if kind in {"display_data", "update_display_data", "execute_result", "stream", "error"}:
                outputs[content.get("transient", {}).get("display_id", len(outputs))] = content

        client.execute_interactive(source, timeout=120, output_hook=take)
        found.append(list(outputs.values()))
    return found


@pytest.fixture
def kernel(project: Path) -> Any:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=str(project))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def text(output: dict[str, Any]) -> list[str]:
    return [line.rstrip() for line in output["data"]["text/plain"].splitlines()]


def test_a_run_is_shown_in_place_and_given_back(project: Path, kernel: Any):
    (project / "go").touch()
    shown = run_cells(
        kernel,
        LOAD,
        "done = %mlops run --notebook rows.ipynb",
        "print(done.record.status.value, [step.status.value for step in done.record.steps])",
        "%mlops run rows",
        "done",
        "%mlops run rows -p nosuch=1",
    )
    (first,), (said,), (again,), (later,), (_, wrong) = shown[1:]
    assert text(first)[0] == "FINISHED pipelines/rows: 2 of 2 steps"
    assert [line.split()[:2] for line in text(first)[3:5]] == [["make", "executed"], ["wait", "executed"]]
    assert said["text"] == "succeeded ['executed', 'executed']\n"
    assert [line.split()[:2] for line in text(again)[3:5]] == [["make", "cached"], ["wait", "cached"]]
    assert text(later) == text(first)
    assert "<script" not in later["data"]["text/html"]
    assert wrong["ename"] == "UsageError"
    (folder,) = {text(one)[-1].rpartition(": ")[2] for one in (first, later)}
    assert (project / folder / "report.html").is_file()


@pytest.mark.parametrize("reaches", ["the process group", "the kernel alone"])
def test_an_interrupted_cell_ends_the_run_in_order(project: Path, kernel: Any, reaches: str):
    manager, client = kernel
    run_cells(kernel, LOAD)
    request = client.execute("%mlops run rows")
    while not (project / "waiting").exists():
        time.sleep(0.05)
    if reaches == "the kernel alone":
        os.kill(manager.provisioner.pid, signal.SIGINT)
    else:
        manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=60)
    assert (reply["parent_header"]["msg_id"], reply["content"]["ename"]) == (request, "KeyboardInterrupt")
    (path,) = project.glob("runs/rows/*/run.json")
    document = json.loads(path.read_text())
    assert (document["status"], [step["status"] for step in document["steps"]]) == (
        "interrupted",
        ["executed", "skipped"],
    )
