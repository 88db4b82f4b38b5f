"""A real IPython shell for each test, and the session that a test opened closed again."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """An `InteractiveShell` that is the running one, in an empty folder, without a history file."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)
    shell.Completer.use_jedi = False
    yield shell
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()
