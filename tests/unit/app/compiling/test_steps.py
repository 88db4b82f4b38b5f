from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbmlops.analysis.proposing.proposal import StepsFrom
from nbmlops.app.compiling.steps import recorded_steps, steps_from, steps_wanted
from nbmlops.core.errors import UsageError
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook

PIPELINE = "schema: nbmlops/pipeline/1\nname: nb\nnotebook: ../../nb.ipynb\nroot: ../..\nsteps: []\n"


def notebook(*tags: str) -> Notebook:
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": "x = 1", "outputs": []}
    return parse_notebook(json.dumps({"cells": [cell], "nbformat": 4}).encode(), "nb.ipynb")


@pytest.mark.parametrize(
    ("asked", "tags", "recorded", "wanted"),
    [
        ("", (), None, StepsFrom.INFERRED),
        ("", (), "", StepsFrom.INFERRED),
        ("", (), "per-cell", StepsFrom.PER_CELL),
        ("one", (), "per-cell", StepsFrom.ONE),
        ("", ("step:a",), "per-cell", None),
        ("per-cell", ("step:a",), None, StepsFrom.PER_CELL),
        ("", ("parameters",), None, StepsFrom.INFERRED),
    ],
)
def test_what_is_asked_for_counts_then_tags_then_the_record(
    asked: str, tags: tuple[str, ...], recorded: str | None, wanted: StepsFrom | None, tmp_path: Path
) -> None:
    if recorded is not None:
        (tmp_path / "pipeline.yaml").write_text(PIPELINE + (f"steps_from: {recorded}\n" if recorded else ""))
    assert steps_wanted(notebook(*tags), asked, tmp_path) is wanted


@pytest.mark.parametrize(
    ("tags", "steps", "recorded"),
    [
        ((), StepsFrom.INFERRED, ""),
        ((), StepsFrom.PER_CELL, "per-cell"),
        (("step:a",), None, ""),
        (("step:a",), StepsFrom.INFERRED, "inferred"),
    ],
)
def test_only_what_does_not_go_without_saying_is_recorded(
    tags: tuple[str, ...], steps: StepsFrom | None, recorded: str
) -> None:
    assert recorded_steps(notebook(*tags), steps) == recorded


def test_a_way_that_there_is_not() -> None:
    with pytest.raises(UsageError) as raised:
        steps_from("best")
    assert (raised.value.message, raised.value.hint) == (
        "there is no way 'best' to find steps",
        "known ways: inferred, headings, per-cell, one",
    )
