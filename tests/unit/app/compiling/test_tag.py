from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbmlops.app.compiling import tag as module
from nbmlops.app.compiling.tag import TagRequest, TagStatus, tag
from nbmlops.core.errors import Conflict, UsageError
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook


@pytest.fixture
def path(tmp_path: Path) -> Path:
    sources = ["import os", "x = list('ab')", "print(x)"]
    cells = [{"cell_type": "code", "metadata": {}, "source": source, "outputs": []} for source in sources]
    (tmp_path / "nbmlops.toml").touch()
    file = tmp_path / "raw.ipynb"
    file.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    return file


def test_a_proposal_writes_nothing(path: Path) -> None:
    before = path.read_bytes()
    outcome = tag(TagRequest("raw.ipynb", path.parent))
    assert (outcome.status, outcome.written, outcome.diagnostics) == (TagStatus.PROPOSED, (1, 2), ())
    assert path.read_bytes() == before


def test_a_file_that_changes_meanwhile_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = path.read_bytes() + b"\n"

    def saves(data: bytes, name: str) -> Notebook:
        path.write_bytes(other)  # as Jupyter does at any time
        return parse_notebook(data, name)

    monkeypatch.setattr(module, "parse_notebook", saves)
    with pytest.raises(Conflict) as raised:
        tag(TagRequest("raw.ipynb", path.parent, write=True))
    assert raised.value.message == f"{path} was changed meanwhile"
    assert path.read_bytes() == other


def test_an_old_format_has_no_place_for_tags(path: Path) -> None:
    cell = {"cell_type": "code", "input": "x = list('ab')", "outputs": [], "language": "python", "metadata": {}}
    document = {"worksheets": [{"cells": [cell], "metadata": {}}], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}
    path.write_text(json.dumps(document))
    assert [step.cells for step in tag(TagRequest("raw.ipynb", path.parent)).proposal.steps] == [(1,)]
    with pytest.raises(UsageError) as raised:
        tag(TagRequest("raw.ipynb", path.parent, write=True))
    assert raised.value.hint == "save it in Jupyter once"


def test_tagging_twice_changes_nothing_the_second_time(path: Path) -> None:
    tag(TagRequest("raw.ipynb", path.parent, write=True))
    tagged = path.read_bytes()
    again = tag(TagRequest("raw.ipynb", path.parent, write=True, retag=True))
    assert (again.written, again.replaces, path.read_bytes()) == ((), True, tagged)
