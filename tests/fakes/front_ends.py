"""A front end of a kernel, as far as a kernel can tell: it sends what JupyterLab or VS Code would send."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


class FrontEnd:
    """Has a kernel run cells.

    Args:
        client: Its client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, source: str, metadata: Mapping[str, Any], *, hidden: bool = False) -> list[dict[str, Any]]:
        """Returns what a cell showed: the contents of streams, displays and results.

        Args:
            source: Its text.
            metadata: Of the request, in which front ends tell which cell it is.
            hidden: Whether it is a request of the front end's own, which leaves no trace.
        """
        content = {"code": source, "silent": hidden, "store_history": not hidden, "allow_stdin": not hidden}
        message = self._client.session.msg("execute_request", {**content, "user_expressions": {}})
        message["metadata"] = dict(metadata)
        self._client.shell_channel.send(message)
        shown = []
        while True:
            told = self._client.get_iopub_msg(timeout=120)
            if told["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if told["msg_type"] == "error":
                raise AssertionError("\n".join(told["content"]["traceback"]))
            if told["msg_type"] in {"stream", "display_data", "execute_result"}:
                shown.append(told["content"])
            if told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
                return shown


@contextmanager
def front_end(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FrontEnd]:
    """Starts a kernel in a folder, with a home of its own."""
    from jupyter_client.manager import start_new_kernel

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        yield FrontEnd(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
