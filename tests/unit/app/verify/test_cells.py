"""The notebook as it is run to be compared: which cells, and which of their lines."""

import json

import pytest

from nbmlops.app.verify.cells import cells_to_run, executed_source
from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.program import CompileOptions
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook
from nbmlops.runtime.witness.witness import CellToRun


def notebook(*cells: tuple[str, str]) -> Notebook:
    made = [
        {
            "cell_type": "markdown" if tags == "md" else "code",
            "id": f"c{number}",
            "metadata": {"tags": tags.split()},
            "source": source,
            **({} if tags == "md" else {"outputs": [], "execution_count": None}),
        }
        for number, (tags, source) in enumerate(cells)
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    document = {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return parse_notebook(json.dumps(document).encode(), "small.ipynb")


@pytest.mark.parametrize(
    ("source", "executed"),
    [
        ("x = 1", "x = 1"),
        ("%%time\nx = 1", "%%time\nx = 1"),
        ("%matplotlib inline\nx = 1", "%matplotlib inline\nx = 1"),
        ("!pip install rich\nx = 1", "\nx = 1"),
        ("%pip install rich", ""),
        ("%load_ext nbmlops\n%mlops track\nx = 1", "%load_ext nbmlops\n\nx = 1"),
        ("%%mlops step train\nx = 1", "\nx = 1"),
        ("%mlops data df --name flights", "%mlops data df --name flights"),
        ("%mlops gate\nx = 1", "\nx = 1"),
        ("%mlops register model \\\n  --data X\nx = 1", "\n\nx = 1"),
        (
            "import nbmlops\nnbmlops.track()\nnbmlops.register(\n    model,\n    data=X,\n)\nx = 1",
            "import nbmlops" + "\n" * 6 + "x = 1",
        ),
    ],
)  # fmt: skip
def test_lines_that_a_pipeline_does_elsewhere_are_empty(source: str, executed: str) -> None:
    (cell,) = notebook(("", source)).cells
    assert executed_source(cell) == executed


def test_a_cell_tagged_test_runs_its_tests() -> None:
    (cell,) = notebook(("test", "%mlops gate\ndef test_a(x): ...")).cells
    assert executed_source(cell) == "\ndef test_a(x): ...\n__import__('nbmlops.api').api.test(test_a, x=x)"


def test_cells_in_order_with_the_steps_that_they_end() -> None:
    read = notebook(
        ("md", "# Title"),
        ("parameters", "depth = 3"),
        ("step:one", "x = [depth]"),
        ("", "x.append(1)"),
        ("skip", "1 / 0"),
        ("step:two", "print(x)"),
    )
    compiled = compile_notebook(read, CompileOptions("small.ipynb", "out", targets=()))
    assert compiled.pipeline is not None
    assert cells_to_run(read, compiled.pipeline, {"depth": float("nan")}) == (
        CellToRun(2, "depth = 3"),
        CellToRun(0, 'depth = float("nan")'),
        CellToRun(3, "x = [depth]"),
        CellToRun(4, "x.append(1)", "one"),
        CellToRun(6, "print(x)", "two"),
    )
