"""Which notebooks ask for autologging."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from nbmlops.notebook.autolog import asks_for_autolog
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook


@pytest.mark.parametrize(
    ("source", "asks"),
    [
        ("%mlops track --autolog", True),
        ("%mlops track --experiment a --autolog", True),
        ("%mlops track", False),
        ("%mlops track --experiment autolog", False),
        ("# %mlops track --autolog", False),
        ("import nbmlops\nnbmlops.track(autolog=True)", True),
        ("import nbmlops\nnbmlops.track(autolog=False)", False),
        ("import nbmlops\nnbmlops.track()", False),
        ("import mlflow\nmlflow.autolog()", False),
    ],
)
def test_the_line_and_the_call_ask(source: str, asks: bool) -> None:
    assert asks_for_autolog(read(source)) is asks


def test_a_skipped_cell_does_not_ask() -> None:
    assert not asks_for_autolog(read("%mlops track --autolog", "skip"))


def read(source: str, *tags: str) -> Notebook:
    cell = new_code_cell(source, metadata={"tags": list(tags)})
    return parse_notebook(nbformat.writes(new_notebook(cells=[cell])).encode(), "n.ipynb")
