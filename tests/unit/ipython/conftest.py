"""A real IPython shell for each test, and a notebook run in a store that remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nbmlops.app.config.config import PipelineConfig
from nbmlops.app.session import current as sessions
from nbmlops.app.session.current import open_session
from nbmlops.app.session.place import Kernel, SessionPlace
from nbmlops.app.session.port import RunTitle
from nbmlops.app.session.session import NotebookSession
from nbmlops.tracking.environment import GitState
from tests.fakes.session_store import POLICY, MemoryStore


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """An `InteractiveShell` that is the running one, in an empty folder, without a history file."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config, colors="nocolor")
    shell.Completer.use_jedi = False
    yield shell
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()
    sessions.forget_session()


@pytest.fixture
def loaded(shell: Any) -> Any:
    """The shell with the extension loaded."""
    shell.run_line_magic("load_ext", "nbmlops")
    return shell


@pytest.fixture
def track(loaded: Any, tmp_path: Path) -> Callable[[], MemoryStore]:
    """Starts a run of `flights.ipynb` in the shell, as `%mlops track` does, and gives its store."""

    def start() -> MemoryStore:
        store = MemoryStore()
        place = SessionPlace(
            root=tmp_path,
            name="flights",
            notebook="flights.ipynb",
            notebook_digest="d" * 64,
            parameters=("depth",),
            registered_name="",
            config=PipelineConfig("flights", "", "flights", False, POLICY),
            tracking_uri="sqlite:///mlflow.db",
            git=GitState("c" * 40),
        )
        kernel = Kernel(loaded.user_ns, (), follows_cells=True)
        open_session(NotebookSession(place, kernel, store, RunTitle("r1", "flights", "demo")))
        return store

    return start
