"""What VS Code's notebooks tell a kernel, and what they get: as its Jupyter extension sends it, without VS Code itself.

Its kernel client names cells by the addresses of their editors (`vscode-notebook-cell:…#…`) and sends a cell's own
metadata beside that, never `cell_meta` of the kernel's; it tells the notebook's file in a variable, by a request that
leaves no trace; and it opens no comm before a widget is shown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.front_ends import FrontEnd, front_end

pytestmark = pytest.mark.slow

CELLS = [
    "%load_ext nbmlops\n%mlops track",
    "x = 1",
    "y = x + 1\n%mlops metric auc = 0.8",
    "%mlops panel",
    "import nbmlops; print(nbmlops.status().reproducible)",
]
TRACK, X, Y, PANEL, ASK = range(5)
RULES = '[[gate.rules]]\nname = "auc floor"\nmetric = "auc"\nmin = 0.7\n'
WITHOUT_ANYWIDGET = "import sys; sys.modules['anywidget'] = None"
Run = Callable[..., list[dict[str, Any]]]


def save(path: Path, sources: list[str]) -> None:
    cells = [
        {"cell_type": "code", "id": f"c{at}", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for at, source in enumerate(sources)
    ]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook in a folder of a project, beside another one with the same cells."""
    folder = tmp_path / "project" / "notebooks"
    folder.mkdir(parents=True)
    (folder.parent / "nbmlops.toml").write_text(RULES)
    save(folder / "flights.ipynb", CELLS)
    save(folder / "copy.ipynb", CELLS)
    return folder / "flights.ipynb"


@pytest.fixture
def code(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FrontEnd]:
    with front_end(notebook.parent, tmp_path, monkeypatch) as code:
        yield code


def cell(notebook: Path, number: int) -> dict[str, Any]:
    """Returns the metadata of a request that runs a cell."""
    return {"cellId": f"vscode-notebook-cell:{notebook}#W{number}sZmlsZQ%3D%3D", "tags": []}


def words(shown: list[dict[str, Any]]) -> str:
    return "".join(one.get("text", "") or one["data"]["text/plain"] for one in shown).strip()


def test_notebook_cells_and_hidden_state_are_known(code: FrontEnd, notebook: Path):
    def run(number: int, source: str = "") -> str:
        return words(code.run(source or CELLS[number], cell(notebook, number)))

    code.run(f"__vsc_ipynb_file__ = {str(notebook)!r}", {}, hidden=True)
    assert "notebook      notebooks/flights.ipynb" in run(TRACK)
    run(X)
    run(Y)
    assert run(ASK) == "yes, as far as the cells tell"
    time.sleep(0.01)  # the clock of the cells has milliseconds
    run(X, "x = 5")
    assert run(ASK) == "unknown, because cells that ran are not saved yet; save the notebook to have them looked at"
    save(notebook, [CELLS[TRACK], "x = 5", *CELLS[Y:]])
    run(Y)
    assert run(ASK) == "yes, as far as the cells tell"
    code.run("%mlops track --stop", cell(notebook, 9))
    # The address of an editor names folders of the user's: it is kept nowhere.
    project = notebook.parents[1]
    kept = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert [path for path, data in kept.items() if b"vscode-notebook-cell" in data] == []
    (cells,) = [data for path, data in kept.items() if path.name == "cells.json"]
    assert [(run["cell"], run["count"], run["outcome"]) for run in json.loads(cells)["runs"]] == [
        ("", count, "done") for count in range(1, 9)
    ]


def test_the_panel_is_a_picture_where_there_is_no_widget_and_a_picture_beside_one(code: FrontEnd, notebook: Path):
    def run(source: str) -> list[dict[str, Any]]:
        return code.run(source, cell(notebook, 0))

    code.run(f"__vsc_ipynb_file__ = {str(notebook)!r}", {}, hidden=True)
    for number in (TRACK, X, Y):
        run(CELLS[number])
    run(WITHOUT_ANYWIDGET)
    (still,) = run(CELLS[PANEL])
    assert set(still["data"]) == {"text/plain", "text/html"}
    pytest.importorskip("anywidget")
    run("del sys.modules['anywidget']")
    (live,) = run(CELLS[PANEL])
    assert set(live["data"]) == {"application/vnd.jupyter.widget-view+json", "text/plain", "text/html"}
    for shown in (still, live):
        html = shown["data"]["text/html"]
        assert '<section class="nbmlops mathjax_ignore tex2jax_ignore" aria-label="nbmlops panel"' in html
        assert "notebooks/flights.ipynb" in html
        assert "var(--vscode-foreground, " in html
    assert "pip install &#x27;nbmlops[panel]&#x27;" in still["data"]["text/html"]
    assert "pip install" not in live["data"]["text/html"]
