"""Proposals as text: a line for each step (name, cells, why), for each other tag, for each border that was left out."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from nbmlops.analysis.analyze import analyze
from nbmlops.analysis.proposing.proposal import StepsFrom
from nbmlops.analysis.proposing.propose import propose_steps, with_proposal
from nbmlops.core.diagnostics import Severity
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook

Propose = Callable[..., list[str]]


def read(*cells: str | tuple[str, str]) -> Notebook:
    """Returns a notebook; a text that begins with `#` and a blank, or with `md:`, is Markdown."""
    parts = [cell if isinstance(cell, tuple) else ("", cell) for cell in cells]
    document = {
        "cells": [
            {"cell_type": "markdown", "id": f"c{number}", "metadata": {}, "source": source.removeprefix("md:")}
            if source.startswith(("# ", "## ", "### ", "md:"))
            else {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {"tags": tags.split()},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, (tags, source) in enumerate(parts)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return parse_notebook(json.dumps(document).encode(), "raw.ipynb")


def proposed(*cells: str | tuple[str, str], source: StepsFrom = StepsFrom.INFERRED) -> list[str]:
    proposal = propose_steps(read(*cells), source)
    steps = [f"{step.name} {list(step.cells)}: {step.why()}" for step in proposal.steps]
    tags = [f"{tag.tag} {tag.cell}" for tag in proposal.tags]
    return [*steps, *tags, *(f"left out {border.cell}: {border.code}" for border in proposal.merged)]


IMPORTS = "import pandas as pd\nimport matplotlib.pyplot as plt\nfrom sklearn.linear_model import LogisticRegression"


def test_headings_cut_and_name_the_steps() -> None:
    assert proposed(
        "# Churn",
        IMPORTS,
        "## 1. Load the data",
        "df = pd.read_csv('churn.csv')",
        "df.head()",
        "## 2. Train",
        "model = LogisticRegression().fit(df[['x']], df.y)",
        "## 3. How well does it do on all of the customers?",
        "print(model.score(df[['x']], df.y))",
    ) == [
        "load_the_data [4, 5]: heading 'Load the data'; loads data: `pd.read_csv`",
        "train [7]: heading 'Train'; trains: `LogisticRegression().fit`; reads df from load_the_data; 1 name crosses",
        (
            "evaluate [9]: heading 'How well does it do on all of the customers?'; evaluates: `model.score`; "
            "reads df from load_the_data; reads model from train; 2 names cross"
        ),
        "imports 2",
    ]


def test_without_headings_a_step_begins_where_the_work_changes() -> None:
    assert proposed(
        IMPORTS,
        "df = pd.read_csv('churn.csv')",
        "df.describe()",
        "df = df.dropna()",
        "df.x.hist()",
        "df['z'] = df.x * 2",
        "model = LogisticRegression().fit(df[['x', 'z']], df.y)",
        "pred = model.predict(df[['x', 'z']])",
        "plt.plot(pred)",
    ) == [
        "load [2, 3]: loads data: `pd.read_csv`",
        "prepare [4, 5, 6]: prepares data: `df.dropna`; reads df from load; 1 name crosses",
        "train [7]: trains: `LogisticRegression().fit`; reads df from prepare; 1 name crosses",
        "evaluate [8, 9]: evaluates: `model.predict`; reads df from prepare; reads model from train; 2 names cross",
        "imports 1",
    ]


def test_each_model_is_one_step_with_its_evaluation() -> None:
    assert proposed(
        "df = make_data()",
        "a = LogisticRegression().fit(df)",
        "print(a.score(df))",
        "b = tree.fit(df)",
        "print(b.score(df))",
    ) == [
        "start [1]: the first cell that computes",
        "train [2, 3]: trains: `LogisticRegression().fit`; reads df from start; 1 name crosses",
        "train_2 [4, 5]: trains: `tree.fit`; reads df from start; 1 name crosses",
    ]  # fmt: skip


def test_what_only_shows_stays_with_the_step_above() -> None:
    cells = ["## Load", "df = pd.read_csv('a.csv')", "## A look", "df.head()", "## Clean", "df = df.dropna()", "## Fit",
             "model = LogisticRegression().fit(df)"]  # fmt: skip
    assert [line.partition(":")[0] for line in proposed(IMPORTS, *cells)] == [
        "load [3, 5]",
        "clean [7]",
        "fit [9]",
        "imports 1",
    ]


def test_many_headings_make_eight_steps_at_most() -> None:
    cells = [
        text for number in range(20) for text in (f"## Part {chr(97 + number)}", f"x{number} = len(str({number}))")
    ]
    steps = propose_steps(read(*cells)).steps
    assert len(steps) == 8
    assert [cell for step in steps for cell in step.cells] == list(range(2, 41, 2))


def test_cells_above_the_first_that_computes() -> None:
    assert proposed(
        "import numpy as np",
        "n = 3\nrate: float = 0.5",
        "np.random.seed(0)\nLIMIT = 4",
        "def double(a):\n    return a * n",
        "x = double(np.ones(n)) * rate",
        "import math",
        "print(math.floor(x[0]), LIMIT)",
    ) == [
        "start [5, 7]: the first cell that computes",
        "imports 1",
        "parameters 2",
        "functions 4",
        "imports 6",
    ]


@pytest.mark.parametrize(
    ("literals", "below"),
    [
        ("n = 3", "n = 4"),
        ("n = 3", "n += 1"),
        ("n = [3]", "n.append(4)"),
        ("n = (3, 4)", "pass"),
        ("n = {3}", "pass"),
        ("n = b'3'", "pass"),
        ("n = 1e999", "pass"),
        ("n = '\\ud800'", "pass"),
        ("n = {3: 4}", "pass"),
        ("n = {'a': [1, 2]}", "pass"),
        (f"n = {list(range(13))}", "pass"),
        ("__version__ = '3'", "pass"),
        ("n = 3", "del n"),
        ("n = 3\nm = n + 1", "pass"),
    ],
)
def test_literals_that_are_no_parameters(literals: str, below: str) -> None:
    assert not [line for line in proposed(literals, "x = compute()", below) if line.startswith("parameters")]


def test_a_notebook_has_one_cell_of_parameters() -> None:
    cells = ["a = 1", "b = 2", "x = compute(a, b)"]
    assert proposed(*cells)[1:] == ["parameters 1"]
    assert proposed(cells[0], ("parameters", cells[1]), cells[2])[1:] == []


def test_definitions_that_need_data_stay_in_their_step() -> None:
    assert proposed("x = compute()", "def f(a=x):\n    return a", "print(f())") == [
        "start [1, 2, 3]: the first cell that computes"
    ]


def test_what_may_tell_when_it_runs_stays_where_it_stands_below_code() -> None:
    loud = ["import noisy", "class A:\n    made = time()", "import math", "def g(a=1):\n    return a"]
    above = proposed("from time import time", *loud, "print(A, g)")
    below = proposed("from time import time", "x = time()", *loud, "print(A, g)")
    kinds = ("imports", "functions")
    assert [line for line in above if line.startswith(kinds)] == ["imports 1", "imports 2", "imports 4", "functions 5"]
    assert [line for line in below if line.startswith(kinds)] == ["imports 1", "imports 5", "functions 6"]


def test_one_step_for_each_cell() -> None:
    assert proposed(
        IMPORTS,
        "## Load",
        "df = pd.read_csv('a.csv')",
        "#nothing but a remark",
        "#drop what is missing\ndf = df.dropna()",
        "df.head()",
        source=StepsFrom.PER_CELL,
    ) == [
        "load [3, 4]: each cell is a step",
        "drop_what_is_missing [5]: each cell is a step; reads df from load; 1 name crosses",
        "cell_06 [6]: each cell is a step; reads df from drop_what_is_missing; 1 name crosses",
        "imports 1",
    ]


def test_one_step_below_each_heading() -> None:
    cells = ["# Title", "## One", "a = f()", "### Two", "b = a", "md:#### Three", "c = b", "md:<h2>Four</h2>", "d = c"]
    assert [line.partition(":")[0] for line in proposed(*cells, source=StepsFrom.HEADINGS)] == [
        "one [3]",
        "two [5, 7]",
        "four [9]",
    ]


def test_tags_of_steps_do_not_count_and_other_tags_do() -> None:
    cells = [("imports", "import os"), ("step:x", "a = f()"), ("skip", "b = 1"), ("step:y", "print(a)")]
    assert proposed(*cells) == ["start [2, 4]: the first cell that computes"]


def test_a_border_that_would_be_refused_is_left_out() -> None:
    cells = ["## Load", "x = list('ab')", "## Show", "import tqdm\ntqdm.tqdm.pandas()\ny = x", "## Use", "z = len(y)"]
    assert proposed(*cells) == [
        "load [2]: heading 'Load'",
        "show [4, 6]: heading 'Show'; reads x from load; 1 name crosses",
        "left out 6: NB401",
    ]
    notebook = read(*cells)
    cut = with_proposal(notebook, propose_steps(notebook))
    found = analyze(cut).diagnostics
    assert [(d.code, d.severity, d.span.cell) for d in found] == [
        ("NB101", Severity.NOTE, 0),
        ("NB109", Severity.NOTE, 6),
    ]
    assert found[1].message == (
        "step 'use' could begin here, but then the notebook would be refused: step 'show' changes "
        "`tqdm.tqdm.pandas` in its own process, which later steps would not see (NB401)"
    )


def test_faults_of_the_notebook_itself_move_no_border() -> None:
    cells = ["## Load", "x = compute()", "## Broken", "y = (", "## Use", "print(x)", "z = 1"]
    assert [line.partition(":")[0] for line in proposed(*cells)] == ["load [2, 4]", "use [6, 7]"]


def test_nothing_to_cut() -> None:
    assert proposed("import os", "def f():\n    pass") == []
    assert proposed("# Text") == []
    assert proposed("x = f()", "print(x)", source=StepsFrom.ONE) == []


def test_the_note_says_how_to_keep_the_steps() -> None:
    notebook = read("## Load", "x = f()", "## Fit", "print(x)", "y = x")
    inferred = with_proposal(notebook, propose_steps(notebook)).diagnostics
    assert [(d.code, d.message, d.hint) for d in inferred] == [
        (
            "NB101",
            "no cell is tagged with a step; 2 steps are inferred: load, fit",
            "see why: `nbmlops tag raw.ipynb`; write them into the notebook: `nbmlops tag raw.ipynb --write`",
        )
    ]
    tagged = read(("step:a", "x = f()"), ("step:b", "print(x)"))
    asked = with_proposal(tagged, propose_steps(tagged, StepsFrom.PER_CELL)).diagnostics
    assert [(d.code, d.message, d.hint) for d in asked] == [
        (
            "NB108",
            "the notebook's step tags do not count, as --steps per-cell asks: 2 steps: cell_01, cell_02",
            "leave --steps out to have the steps of the tags",
        )
    ]
