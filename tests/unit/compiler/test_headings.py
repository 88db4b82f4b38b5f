from __future__ import annotations

import pytest

from nbmlops.compiler.headings import Explanation, clean, explanations, remarks
from nbmlops.compiler.prose import Block
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
    found = explanations(book, {"load": (2,), "train": (5,), "evaluate": (6, 8), "none": ()})
    assert {step: told.summary for step, told in found.items()} == {
        "load": "",
        "train": "Train it: train",
        "evaluate": "Scores",
        "none": "",
    }


def test_headings_in_code_blocks_are_none() -> None:
    assert explanations(notebook("md: ## Real\n```\n# not\n```", "step a"), {"a": (2,)}) == {"a": Explanation("Real")}


SAID = {
    "## Clean up\n\nSome go.": Explanation("Clean up", (Block("Some go."),)),
    "## Clean\n\nCancelled flights go away. So do\n*diverted* ones.": Explanation(
        "Cancelled flights go away.", (Block("So do diverted ones."),)
    ),
    "## clean\n\nTwo words.": Explanation("clean", (Block("Two words."),)),
    "## Clean\n\n" + "word " * 40: Explanation("Clean", (Block("word " * 39 + "word"),)),
    "## Clean\n\n- one\n- two": Explanation("Clean", (Block("one", item=True), Block("two", item=True))),
    "Only a text of some words.": Explanation("Only a text of some words."),
    "# Delays\n\nAbout the whole notebook.": Explanation(),
    "# Delays\n\nAbout the whole.\n\n## Tidy\n\nThis.": Explanation("Tidy", (Block("This."),)),
    "- one": Explanation("Clean", (Block("one", item=True),)),
    "": Explanation(),
}


@pytest.mark.parametrize("markdown", SAID)
def test_the_text_below_the_heading_explains_the_step(markdown: str) -> None:
    assert explanations(notebook(f"md: {markdown}", "step clean"), {"clean": (2,)}) == {"clean": SAID[markdown]}


def test_a_table_takes_the_first_sentence_where_the_heading_says_nothing() -> None:
    told = Explanation("Train", (Block("Trees cope with missing values. No early stopping."),))
    assert told.short("train") == "Trees cope with missing values."
    assert told.short("fit") == "Train"
    assert Explanation("Train", (Block("A list.", item=True),)).short("train") == ""


def test_markdown_between_cells_of_a_step_is_remarked() -> None:
    book = notebook(
        *("md: ## Look", "step look", "md: ## Slices\nA corner. More.", "step look", "md: Only text. More."),
        *("step look", "md: ## Why?", "step look", "step look", "md: - a list", "step look"),
    )
    assert remarks(book, {"look": (2, 4, 6, 8, 9, 11)}) == {4: "Slices. A corner.", 6: "Only text.", 8: "Why?"}


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("**Train** the [model](https://x.y/z_(a))", "Train the model"),
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
