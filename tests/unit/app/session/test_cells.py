from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nbmlops.app.session import cells as session_cells
from nbmlops.app.session.cells import HiddenState, reproducible
from nbmlops.app.session.hidden_state import Reproducible
from nbmlops.tracking.cells import CellRecord, CellRun


def write(path: Path, *sources: str) -> Path:
    cells = [
        {"cell_type": "code", "id": f"c{number}", "metadata": {}, "source": source, "outputs": []}
        for number, source in enumerate(sources)
    ]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_the_record_is_held_against_the_file(tmp_path: Path):
    record = CellRecord(["x = 1"])
    record.add(CellRun("y = x", "c1", started=1))
    path = write(tmp_path / "nb.ipynb", "x = 1", "y = x")
    assert reproducible(record, path) == Reproducible(answer=True)
    write(path, "x = 2", "y = x")
    assert reproducible(record, path) == Reproducible(
        False,
        ("`x` came from a cell that was deleted or edited since", "cell 1 did not run, but it changes `x`"),
    )


def test_a_notebook_that_is_not_there_cannot_be_judged(tmp_path: Path):
    assert reproducible(CellRecord(), None) == Reproducible(None, ("it is not known which notebook this is",))
    (tmp_path / "bad.ipynb").write_text("{")
    found = reproducible(CellRecord(), tmp_path / "bad.ipynb")
    assert (found.answer, found.reasons[0].startswith("bad.ipynb cannot be read: ")) == (None, True)


def test_the_answer_is_found_out_once_for_each_cell_and_each_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []

    def counting(record: CellRecord, notebook: Path | None) -> Reproducible:
        asked.append(record.added)
        return reproducible(record, notebook)

    monkeypatch.setattr(session_cells, "reproducible", counting)
    record = CellRecord()
    hidden = HiddenState(record)
    path = write(tmp_path / "nb.ipynb", "x = 1")
    assert [hidden.answer(path), hidden.answer(path)] == [Reproducible(answer=True)] * 2
    record.add(CellRun("x = 1", "c0", started=1))
    assert [hidden.answer(path), hidden.answer(path)] == [Reproducible(answer=True)] * 2
    write(path, "x = 2")
    os.utime(path, ns=(1, 1))
    assert hidden.answer(path).answer is True
    os.utime(path, ns=(2**62, 2**62))
    assert hidden.answer(path).answer is False
    path.unlink()
    assert hidden.answer(path).answer is None
    assert asked == [0, 1, 1, 1, 1]
