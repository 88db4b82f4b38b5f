"""`nbmlops.show`: what a cell displays, in the order in which Jupyter displays it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import nbmlops


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)
    yield shell
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happened: display and the flushing of figures."""
    happened: list[str] = []
    backend = ModuleType("matplotlib_inline.backend_inline")
    backend.flush_figures = lambda: happened.append("figures")  # type: ignore[attr-defined]  # a module made by hand
    monkeypatch.setitem(sys.modules, backend.__name__, backend)
    monkeypatch.setattr("IPython.display.display", lambda value: happened.append(f"display {value}"))
    return happened


def test_values_come_before_figures(shell: Any, order: list[str]):
    nbmlops.show(1, None, "x")
    assert order == ["display 1", "display x", "figures"]


def test_without_a_value_only_figures_are_shown(shell: Any, order: list[str]):
    nbmlops.show()
    nbmlops.show(None)
    assert order == ["figures", "figures"]


def test_outside_ipython_nothing_happens(order: list[str], capsys: pytest.CaptureFixture[str]):
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.clear_instance()
    nbmlops.show(1)
    assert order == []
    assert capsys.readouterr().out == ""


def test_without_figures_values_are_shown(shell: Any, order: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "matplotlib_inline.backend_inline")
    nbmlops.show(2)
    assert order == ["display 2"]
