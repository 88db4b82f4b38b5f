"""Diagnostics as code hosts take them, and what cells leave out, through the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbmlops.cli.main import main

CELLS = [
    (["step:list"], "# nbmlops: ignore=NB126\n!ls\nfiles = 1"),
    (["step:show"], "print(files)\n!ls"),
    (["step:end", "nbmlops-ignore:NB203"], "print(nowhere)"),
]


@pytest.fixture
def project(work: Path, notebook: Callable[..., None]) -> Path:
    (work / "nbmlops.toml").touch()
    notebook(work / "my nb.ipynb", *((tags, f"\n{source}") for tags, source in CELLS))
    return work


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(arguments)
    return code, capsys.readouterr().out


def test_results_stand_at_the_lines_of_the_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = output(capsys, "inspect", "my nb.ipynb", "--format", "sarif")
    run: dict[str, Any] = json.loads(text)["runs"][0]
    lines = (project / "my nb.ipynb").read_text().split("\n")
    found = []
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "my%20nb.ipynb", "uriBaseId": "%SRCROOT%"}
        line = lines[place["region"]["startLine"] - 1].strip()
        found.append((result["ruleId"], result["level"], line, "suppressions" in result))
    assert (code, found) == (
        2,
        [
            ("NB126", "note", '"!ls"', False),
            ("NB150", "note", '"\\n",', False),
            ("NB203", "error", '"print(nowhere)"', False),
            ("NB126", "note", '"!ls\\n",', True),
        ],
    )


def test_what_cells_leave_out_is_counted_and_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, text = output(capsys, "inspect", "my nb.ipynb")
    assert text.count("NB126") == 1
    assert "left out, as their cells ask: 1 note\n" in text
    _, text = output(capsys, "inspect", "my nb.ipynb", "--format", "json")
    document = json.loads(text)
    assert [(d["code"], d["cell"]) for d in document["diagnostics"]] == [("NB126", 2), ("NB150", 3), ("NB203", 3)]
    assert [(d["code"], d["cell"]) for d in document["suppressed"]] == [("NB126", 1)]


def test_a_notebook_that_is_not_there_is_told_in_the_same_format(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = output(capsys, "inspect", "missing.ipynb", "--format=sarif")
    run = json.loads(text)["runs"][0]
    assert (code, run["results"], run["invocations"][0]["executionSuccessful"]) == (2, [], False)
    assert (project / "my nb.ipynb").exists()
