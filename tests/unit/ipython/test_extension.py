from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import nbmlops
from nbmlops.app.session.current import current_session
from nbmlops.core.errors import EnvironmentFault

LIGHT = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "nbmlops")
heavy = [name for name in ("mlflow", "pandas", "numpy", "papermill", "nbformat", "pydantic") if name in sys.modules]
print(heavy)
"""


def test_loading_imports_neither_mlflow_nor_pandas(tmp_path: object):
    output = subprocess.run(
        [sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True, env={**_environment(tmp_path)}
    )
    assert output.stdout.strip().splitlines()[-1] == "[]"


def _environment(home: object) -> dict[str, str]:
    import os

    return {**os.environ, "IPYTHONDIR": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_loading_twice_registers_once(loaded: Any):
    hooks = [len(loaded.events.callbacks[event]) for event in ("pre_run_cell", "post_run_cell")]
    nbmlops.load_ipython_extension(loaded)
    assert [len(loaded.events.callbacks[event]) for event in ("pre_run_cell", "post_run_cell")] == hooks


def test_unloading_takes_everything_out(shell: Any):
    before = {event: list(callbacks) for event, callbacks in shell.events.callbacks.items()}
    transforms = list(shell.input_transformers_cleanup)
    shell.run_line_magic("load_ext", "nbmlops")
    assert "mlops" in shell.magics_manager.magics["line"]
    shell.run_line_magic("unload_ext", "nbmlops")
    assert shell.events.callbacks == before
    assert shell.input_transformers_cleanup == transforms
    assert "mlops" not in shell.magics_manager.magics["line"]
    assert "mlops" not in shell.magics_manager.magics["cell"]


def test_a_store_that_fails_is_a_warning_after_the_cell(loaded: Any, track: Callable[[], Any]):
    store = track()
    store.trouble = EnvironmentFault("the store is locked", "close the other program")
    with pytest.warns(UserWarning, match="nbmlops: the store is locked"):
        loaded.run_cell("%mlops metric auc = 0.5\nx = 1").raise_error()
    loaded.run_cell("y = 1").raise_error()
    assert [metric.name for metric in store.sent[0].metrics] == ["auc"]


def test_a_hook_that_breaks_is_taken_out_with_one_warning(
    loaded: Any, track: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
):
    track()
    session = current_session()
    assert session is not None

    def broken(_source: str) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr(session, "cell_started", broken)
    with pytest.warns(UserWarning, match="nbmlops stopped following the cells: RuntimeError: bug"):
        loaded.run_cell("x = 1").raise_error()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded.run_cell("x = 2").raise_error()
    assert loaded.user_ns["x"] == 2


def test_parameters_of_the_notebook_are_read_when_their_cell_ran(loaded: Any, track: Callable[[], Any]):
    store = track()
    loaded.run_cell("depth = 3")
    loaded.run_cell("# Parameters\ndepth = 5")
    loaded.run_cell("%mlops metric auc = 0.8")
    loaded.run_cell("depth = depth * 2")
    loaded.run_cell("%mlops metric f1 = 0.8")
    assert [dict(batch.params) for batch in store.sent] == [{"depth": 5}, {}]
