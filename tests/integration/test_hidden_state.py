"""Hidden state as a kernel leaves it: what `%mlops status` says of cells that ran in another order, and were edited."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.front_ends import front_end

pytestmark = pytest.mark.slow

TRACK = "%load_ext nbmlops\n%mlops track --notebook nb.ipynb"
CELLS = {"t": TRACK, "a": "x = 1", "b": "y = x + 1", "c": "z = y * 2"}
ASK = "import nbmlops; print(nbmlops.status().reproducible)"
CELLS["ask"] = ASK
Run = Callable[..., str]


def save(path: Path, cells: dict[str, str]) -> None:
    listed = [
        {"cell_type": "code", "id": cell, "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for cell, source in cells.items()
    ]
    path.write_text(json.dumps({"cells": listed, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a cell as JupyterLab does, with its id in the metadata of the request, and gives what it printed."""
    (tmp_path / "nbmlops.toml").write_text("")
    save(tmp_path / "nb.ipynb", CELLS)
    with front_end(tmp_path, tmp_path, monkeypatch) as lab:

        def run(source: str, cell: str, deleted: tuple[str, ...] = ()) -> str:
            shown = lab.run(source, {"cellId": cell, "deletedCells": list(deleted), "recordTiming": False})
            return "".join(one.get("text", "") for one in shown).strip()

        yield run


def test_order_edits_and_deleted_cells_are_found(run: Run, tmp_path: Path):
    for cell, source in CELLS.items():
        run(source, cell)
    assert run(ASK, "ask") == "yes, as far as the cells tell"
    run("x = 5", "a")  # edited, run and not saved: the file is older than what ran
    assert run(ASK, "ask") == "no, because cell 3 ran before cell 2, and both use `x`"
    run(CELLS["b"], "b")
    run(CELLS["c"], "c", deleted=("a",))
    assert run(ASK, "ask") == "no, because `x` came from a cell that was deleted or edited since"
    save(tmp_path / "nb.ipynb", {**CELLS, "a": "x = 5"})
    run("x = 5", "a")
    run(CELLS["b"], "b")
    run(CELLS["c"], "c")
    assert run(ASK, "ask") == "yes, as far as the cells tell"
    run("extra = 1", "new")
    assert run(ASK, "ask") == (
        "unknown, because cells that ran are not saved yet; save the notebook to have them looked at"
    )
