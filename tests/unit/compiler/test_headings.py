from __future__ import annotations

import pytest

from nbmlops.compiler.headings import clean, summaries
from nbmlops.notebook.model import Cell, CellKind, CellRole, Notebook, RoleKind


def notebook(*cells: str) -> Notebook:
    """Cells written as "md: text", "step NAME", "setup" or "shared"."""
    made = []
    for number, text in enumerate(cells, 1):
        kind, _, rest = text.partition(" ")
        if kind == "md:":
            made.append(Cell(str(number), number, CellKind.MARKDOWN, rest))
        else:
            made.append(Cell(str(number), number, CellKind.CODE, "x", role=CellRole(RoleKind(kind), rest), python="x"))
    return Notebook("n.ipynb", "n", tuple(made), title="Delays")


def test_the_nearest_heading_above_belongs_to_the_first_step_below() -> None:
    book = notebook(
        *("md: # Delays", "step load", "md: ## Old\n### 2. Train *it*", "shared", "step train"),
        *("step evaluate", "md: ## Scores", "step evaluate"),
    )
    assert summaries(book, {"load": (2,), "train": (5,), "evaluate": (6, 8), "none": ()}) == {
        "load": "",
        "train": "Train it",
        "evaluate": "Scores",
        "none": "",
    }


def test_headings_in_code_blocks_are_none() -> None:
    assert summaries(notebook("md: ## Real\n```\n# not\n```", "step a"), {"a": (2,)}) == {"a": "Real"}


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("**Train** the [model](https://x.y/z_(a))", "Train the model)"),
        ('<a id="t"></a> Train', "Train"),
        ("3.1 Train", "Train"),
        ("Step 2: Train", "Train"),
        ("2", "2"),
        ("2024 results", "2024 results"),
        ("`max_depth` and __init__", "max_depth and __init__"),
        ("x " * 60, ("x " * 36).strip() + "…"),
    ],
)
def test_markup_is_taken_off(heading: str, text: str) -> None:
    assert clean(heading) == text
