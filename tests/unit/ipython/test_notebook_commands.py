from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbmlops.app.session.cell_files import FileCapture
from nbmlops.core.errors import ComparisonFailed, NotebookError, UsageError
from nbmlops.ipython.notebook_commands import ranges

Capture = pytest.CaptureFixture[str]
CELLS = (
    ("depth = 3", ["parameters"]),
    ("rows = list(range(depth))", ["step:load"]),
    ("total = sum(rows)\n%mlops metric total", ["step:add"]),
    ("%mlops gate", []),
)


def write(path: Path, *cells: tuple[str, list[str]]) -> Path:
    document = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {"tags": tags},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, (source, tags) in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(document))
    return path


def test_inspect_shows_steps_and_parameters(loaded: Any, tmp_path: Path):
    write(tmp_path / "sums.ipynb", *CELLS)
    view = loaded.run_line_magic("mlops", "inspect --notebook sums.ipynb")
    assert repr(view).splitlines() == [
        "PIPELINE sums: 2 steps, then gate",
        "steps:",
        "  step  cells  reads  hands over  emitted as",
        "  load  2             rows        function",
        "  add   3, 4   rows               function",
        "parameters:",
        "  name   type  default",
        "  depth  int   3",
        "this is the notebook as it was saved last",
    ]
    assert list(tmp_path.glob("pipelines")) == []


@pytest.mark.parametrize(
    ("numbers", "expected"), [((), ""), ((4,), "4"), ((2, 3), "2, 3"), ((2, 5, 6, 7, 9), "2, 5–7, 9")]
)
def test_numbers_are_written_as_people_do(numbers: tuple[int, ...], expected: str):
    assert ranges(numbers) == expected


def test_what_our_own_commands_read_is_no_input(loaded: Any, tmp_path: Path):
    write(tmp_path / "sums.ipynb", *CELLS)
    (tmp_path / "values.csv").write_text("a\n1\n")
    capture = FileCapture(tmp_path)
    try:
        capture.before("")
        loaded.run_line_magic("mlops", "compile --notebook sums.ipynb")
        assert capture.after().read == {}
        capture.before("")
        (tmp_path / "values.csv").read_text()
        assert list(capture.after().read) == [str(tmp_path / "values.csv")]
    finally:
        capture.stop()


def test_inspect_shows_problems(loaded: Any, tmp_path: Path):
    write(tmp_path / "sums.ipynb", ("x = (", ["step:load"]))
    shown = repr(loaded.run_line_magic("mlops", "inspect --notebook sums.ipynb"))
    assert shown.startswith("FAIL this notebook cannot be compiled\nerror[NB")
    assert "--> sums.ipynb cell 1 line 1" in shown


def test_compile_writes_checks_and_refuses(loaded: Any, tmp_path: Path):
    path = write(tmp_path / "sums.ipynb", *CELLS)
    run = loaded.run_line_magic
    first = repr(run("mlops", "compile --notebook sums.ipynb")).splitlines()
    assert first[0] == "COMPILED sums in pipelines/sums"
    assert ["pipelines/sums/sums/add.py", "new"] in [line.split() for line in first]
    assert "to run it: %mlops run, or nbmlops run pipelines/sums in a terminal" in first
    assert repr(run("mlops", "compile --notebook sums.ipynb")).splitlines()[0] == "UNCHANGED sums in pipelines/sums"
    assert repr(run("mlops", "compile --notebook sums.ipynb --check")).splitlines()[0].startswith("UNCHANGED")

    write(path, *CELLS[:1], ("rows = [1]", ["step:load"]), *CELLS[2:])
    with pytest.raises(ComparisonFailed, match="pipelines/sums is stale: "):
        run("mlops", "compile --notebook sums.ipynb --check")
    write(path, ("x = (", ["step:load"]))
    with pytest.raises(NotebookError, match="this notebook cannot be compiled; nothing was written"):
        run("mlops", "compile --notebook sums.ipynb")


def test_an_unknown_notebook_is_asked_for(loaded: Any, capsys: Capture):
    assert isinstance(loaded.run_cell("%mlops inspect").error_in_exec, UsageError)
    assert capsys.readouterr().out == (
        "UsageError: which notebook this is cannot be found out here\nhint: name it: --notebook PATH.ipynb\n"
    )
