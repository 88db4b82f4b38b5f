from __future__ import annotations

import pytest

from nbmlops.analysis.proposing.step_names import (
    Heading,
    first_words,
    headings_of,
    name_from_text,
    plain_heading,
    shortened,
    unique,
)
from nbmlops.notebook.model import Cell, CellKind
from nbmlops.notebook.names import step_name_fault


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Load data", "Load data"),
        ("1. Load data", "Load data"),
        ("2.3) Load data:", "Load data"),
        ("Step 4: Load `data`", "Load data"),
        ("**Load** *the* [data](http://a.b/c)", "Load the data"),
        ('<font color="red">Load</font> &amp; clean', "Load & clean"),
        ("IV. Results", "Results"),
        ("2024 sales", "2024 sales"),
        ("3", "3"),
        ("snake_case stays", "snake_case stays"),
        ("![logo](x.png)", ""),
    ],
)
def test_headings_lose_markup_and_numbers(text: str, plain: str) -> None:
    assert plain_heading(text) == plain


def test_headings_of_a_cell() -> None:
    source = "text\n# One #\n```\n# no heading\n```\n#no heading\n### Two\n<h2 align='center'>Three</h2>\n## \n"
    cell = Cell("m", 4, CellKind.MARKDOWN, source)
    assert headings_of(cell) == [Heading(4, 1, "One"), Heading(4, 3, "Two"), Heading(4, 2, "Three")]
    assert headings_of(Cell("c", 5, CellKind.CODE, "# One")) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Load the Data", "load_the_data"),
        ("Prepare & clean", "prepare_clean"),
        ("Let's go", "lets_go"),
        ("Évaluation", "évaluation"),
        ("数据", "数据"),
        (".632 bootstrap", "bootstrap"),
        ("What we know about the customers of the bank in the end", ""),
        ("A look at the data of the customers", "look_at_data_customers"),
        ("2024", ""),
        ("—", ""),
        ("Donaudampfschifffahrtsgesellschaftskapitän", ""),
    ],
)
def test_short_texts_make_names(text: str, name: str) -> None:
    assert name_from_text(text) == name
    assert not name or not step_name_fault(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What we know about the customers of the bank", "what_we_know_about"),
        ("Donaudampfschifffahrtsgesellschaftskapitän", ""),
        ("2024 – 2025", ""),
    ],
)
def test_long_texts_are_shortened(text: str, name: str) -> None:
    assert shortened(text) == name


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("# Drop what is missing\ndf = 1", "drop_what_is_missing"),
        ("\n## Fit:\nx", "fit"),
        ("# nbmlops: functions\nx", ""),
        ("#!pip\nx", ""),
        ("x = 1  # Load", ""),
    ],
)
def test_the_first_comment_names_a_cell(source: str, name: str) -> None:
    assert first_words(Cell("c", 1, CellKind.CODE, source, python=source)) == name


def test_every_name_stands_once() -> None:
    assert unique(["load", "fit", "Load", "fit", "fit_2", "setup", "lоad"]) == [
        "load", "fit", "Load_2", "fit_2", "fit_2_2", "setup_step", "lоad_3",
    ]  # fmt: skip
