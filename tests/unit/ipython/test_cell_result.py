"""What the hooks record of cells, in a real shell, whatever a cell does to it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from nbmlops.app.session.current import current_session
from nbmlops.ipython.cell_result import deleted_cells, describe
from nbmlops.tracking.cells import CellOutcome, CellRun

DONE, FAILED, INTERRUPTED, REFUSED = (
    CellOutcome.DONE, CellOutcome.FAILED, CellOutcome.INTERRUPTED, CellOutcome.REFUSED,
)  # fmt: skip


def run(shell: Any, source: str, cell: str | None = None, **options: Any) -> Any:
    return shell.run_cell(source, **{"store_history": True, "cell_id": cell, **options})


def told(store: Any) -> list[tuple[str, str, int, CellOutcome, str]]:
    return [(run.source, run.cell, run.count, run.outcome, run.error) for run in store.cells]


def test_cells_are_recorded_in_order_with_their_ends(loaded: Any, track: Callable[[], Any], capsys: Any):
    store = track()
    run(loaded, "x = 1", "a")
    run(loaded, "1 / 0", "b")
    run(loaded, "raise KeyboardInterrupt", "c")
    run(loaded, "x = = 1", "d")
    run(loaded, "x = 1", "a")
    assert told(store) == [
        ("x = 1", "a", 1, DONE, ""),
        ("1 / 0", "b", 2, FAILED, "ZeroDivisionError"),
        ("raise KeyboardInterrupt", "c", 3, INTERRUPTED, "KeyboardInterrupt"),
        ("x = = 1", "d", 4, REFUSED, "SyntaxError"),
        ("x = 1", "a", 5, DONE, ""),
    ]
    assert all(run.started > 1_600_000_000_000 and 0 <= run.seconds < 60 for run in store.cells)


@pytest.mark.parametrize(
    "told_by_vs_code",
    [
        "vscode-notebook-cell:/home/me/project/flights.ipynb#W2sZmlsZQ%3D%3D",
        "vscode-notebook-cell://ssh-remote%2Bhost/home/me/flights.ipynb#X10sdnNjb2Rl",
        "vscode-interactive-input:/Interactive-1.interactive#1",
    ],
)
def test_the_address_of_an_editor_is_no_id_of_a_cell(loaded: Any, track: Callable[[], Any], told_by_vs_code: str):
    store = track()
    run(loaded, "x = 1", told_by_vs_code)
    assert [run.cell for run in store.cells] == [""]


def test_async_cells_are_recorded(loaded: Any, track: Callable[[], Any]):
    store = track()
    run(loaded, "import asyncio\nawait asyncio.sleep(0.01)\ny = 2", "a")
    assert [(run.outcome, run.seconds >= 0.01) for run in store.cells] == [(DONE, True)]


def test_cells_within_cells_belong_to_the_outer_one(loaded: Any, track: Callable[[], Any]):
    store = track()
    run(loaded, "get_ipython().run_cell('inner = 1').raise_error()", "a")
    assert [run.cell for run in store.cells] == ["a"]
    assert loaded.user_ns["inner"] == 1


@pytest.mark.parametrize("harm", ["del get_ipython", "%reset -f", "import gc; gc.collect()", "__name__ = 'x'"])
def test_what_a_cell_does_to_the_session_does_not_stop_the_record(loaded: Any, track: Callable[[], Any], harm: str):
    store = track()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(loaded, harm, "a").raise_error()
        run(loaded, "%mlops metric auc = 0.5", "b").raise_error()
    assert [(run.cell, run.outcome) for run in store.cells] == [("a", DONE), ("b", DONE)]
    assert [metric.name for batch in store.sent for metric in batch.metrics] == ["auc"]


def test_silent_cells_are_neither_recorded_nor_spoken_in(loaded: Any, track: Callable[[], Any], capsys: Any):
    store = track()
    session = current_session()
    assert session is not None
    run(loaded, "x = 1", silent=True)
    hook = loaded.events.callbacks["post_run_cell"][-1]
    info = SimpleNamespace(silent=True, store_history=True, raw_cell="x = 1")
    session.cell_finished = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hook(SimpleNamespace(info=info, success=True))
    assert store.cells[1:] == []
    assert capsys.readouterr() == ("", "")


def test_hooks_take_what_later_releases_may_pass(loaded: Any, track: Callable[[], Any]):
    track()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for event in ("pre_run_cell", "post_run_cell"):
            hook = loaded.events.callbacks[event][-1]
            hook()
            hook(object(), 1, more=2)
            hook(None)


def test_a_warning_that_the_user_made_an_error_is_written_instead(loaded: Any, track: Callable[[], Any], capsys: Any):
    track()
    session = current_session()
    assert session is not None
    session.cell_finished = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(loaded, "x = 1").raise_error()
        run(loaded, "x = 2").raise_error()
    assert capsys.readouterr().err == (
        "nbmlops stopped following the cells: TypeError: 'NoneType' object is not callable\n"
    )


def test_what_jupyterlab_tells_is_taken_over():
    info = SimpleNamespace(raw_cell="x", cell_id=None, cell_meta={"cellId": "c7", "deletedCells": ["c1", "c2"]})
    result = SimpleNamespace(info=info, execution_count=None, error_before_exec=None, error_in_exec=None)
    assert describe(result, (5_000_000, 7_000_000_000), 7_500_000_000) == CellRun("x", "c7", 0, 5, 0.5, DONE)
    assert deleted_cells(info) == ("c1", "c2")
    assert deleted_cells(SimpleNamespace()) == ()
