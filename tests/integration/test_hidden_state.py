"""Hidden state as a kernel leaves it: what `%mlops status` says of cells that ran in another order, and were edited."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TRACK = "%load_ext nbmlops\n%mlops track --notebook nb.ipynb"
CELLS = {"t": TRACK, "a": "x = 1", "b": "y = x + 1", "c": "z = y * 2"}
ASK = "import nbmlops; print(nbmlops.status().reproducible)"
CELLS["ask"] = ASK


def save(path: Path, cells: dict[str, str]) -> None:
    listed = [
        {"cell_type": "code", "id": cell, "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for cell, source in cells.items()
    ]
    path.write_text(json.dumps({"cells": listed, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


class Kernel:
    """A kernel that runs cells as JupyterLab does: with their ids in the metadata of the request."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, source: str, cell: str, deleted: tuple[str, ...] = ()) -> str:
        """Returns what the cell printed."""
        content = {"code": source, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = self._client.session.msg("execute_request", content)
        message["metadata"] = {"cellId": cell, "deletedCells": list(deleted), "recordTiming": False}
        self._client.shell_channel.send(message)
        printed = ""
        while True:
            told = self._client.get_iopub_msg(timeout=120)
            if told["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if told["msg_type"] == "error":
                raise AssertionError("\n".join(told["content"]["traceback"]))
            if told["msg_type"] == "stream":
                printed += told["content"]["text"]
            if told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
                return printed.strip()


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    from jupyter_client.manager import start_new_kernel

    (tmp_path / "nbmlops.toml").write_text("")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    save(tmp_path / "nb.ipynb", CELLS)
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    yield Kernel(client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_order_edits_and_deleted_cells_are_found(kernel: Kernel, tmp_path: Path):
    for cell, source in CELLS.items():
        kernel.run(source, cell)
    assert kernel.run(ASK, "ask") == "yes, as far as the cells tell"
    kernel.run("x = 5", "a")  # edited, run and not saved: the file is older than what ran
    assert kernel.run(ASK, "ask") == "no, because cell 3 ran before cell 2, and both use `x`"
    kernel.run(CELLS["b"], "b")
    kernel.run(CELLS["c"], "c", deleted=("a",))
    assert kernel.run(ASK, "ask") == "no, because `x` came from a cell that was deleted or edited since"
    save(tmp_path / "nb.ipynb", {**CELLS, "a": "x = 5"})
    kernel.run("x = 5", "a")
    kernel.run(CELLS["b"], "b")
    kernel.run(CELLS["c"], "c")
    assert kernel.run(ASK, "ask") == "yes, as far as the cells tell"
    kernel.run("extra = 1", "new")
    assert kernel.run(ASK, "ask") == (
        "unknown, because cells that ran are not saved yet; save the notebook to have them looked at"
    )
