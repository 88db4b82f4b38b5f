"""Schemas from the notebook: what the command line does, on frames and on files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbmlops.app.show.cards import tone
from nbmlops.cli.main import main
from nbmlops.core.errors import UsageError

FRAME = """\
import pandas as pd
flights = pd.DataFrame({"month": [1, 2] * 50, "when": pd.date_range("2013-01-01", periods=100)})
"""
WRITTEN = """\
schema: nbmlops/frame-schema/1
other_columns: allowed
columns:
  month: {type: integer}
  when: {type: datetime, earliest: 2003-01-01, latest: 2024-01-01, time_zone: none}
"""


@pytest.fixture
def notebook(loaded: Any) -> Any:
    """A shell with a frame."""
    Path("nbmlops.toml").write_text("")
    loaded.run_cell(FRAME).raise_error()
    return loaded


def shown(notebook: Any, line: str) -> str:
    found = notebook.run_cell(f"%mlops {line}")
    found.raise_error()
    return repr(found.result)


def test_a_schema_is_inferred_from_a_frame_and_widened_when_asked(notebook: Any) -> None:
    advice = "review and commit schemas/flights.yaml; `%mlops check` holds data to it, pipelines as well"
    assert shown(notebook, "schema infer flights") == f"NEW schema flights of flights\n{advice}"
    text = Path("schemas/flights.yaml").read_text()
    assert text[text.index("schema:") :] == WRITTEN
    again = notebook.run_cell("%mlops schema infer flights").error_in_exec
    assert isinstance(again, UsageError)
    assert again.message == "there is a schema schemas/flights.yaml already"
    assert shown(notebook, "schema infer flights --update") == "UNCHANGED the data keeps schema flights as it is"
    notebook.run_cell("flights.loc[3, 'month'] = None")
    said = "month: 1 row without a value (row 3)"
    assert shown(notebook, "schema infer flights --update") == f"WIDENED schema flights of flights\n{said}\n{advice}"


def test_frames_and_files_are_checked_as_on_the_command_line(notebook: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shown(notebook, "schema infer flights")
    notebook.run_cell("flights.assign(month=0.5).to_parquet('may.parquet')")
    assert shown(notebook, "schema check flights") == "PASS flights keeps schema flights"
    capsys.readouterr()
    assert main(["schema", "check", "may.parquet", "--schema", "flights", "--format", "json"]) == 5
    (failure,) = json.loads(capsys.readouterr().out)["check"]["failures"]
    line = "schema check may.parquet --schema flights"
    assert shown(notebook, line) == f"FAIL may.parquet breaks schema flights\n{failure}"


def test_two_schemas_are_compared_as_on_the_command_line(notebook: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shown(notebook, "schema infer flights")
    Path("new.yaml").write_text(WRITTEN.replace("latest: 2024", "latest: 2020"))
    found = notebook.run_cell("%mlops schema diff flights new.yaml").result
    capsys.readouterr()
    assert main(["schema", "diff", "flights", "new.yaml", "--format", "json"]) == 5
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert repr(found).splitlines() == [
        "BREAKING new.yaml breaks what keeps schemas/flights.yaml",
        "changes:",
        "  change    column  rule    from → to                why",
        f"  breaking  when    latest  2024-01-01 → 2020-01-01  {change['reason']}",
    ]
    assert tone(found.card()) == "bad"
    assert shown(notebook, "schema diff new.yaml flights").startswith("COMPATIBLE schemas/flights.yaml is compatible")
    assert shown(notebook, "schema diff flights flights").startswith("EQUAL schemas/flights.yaml says the same as")


def test_a_notebook_that_asks_compiles_to_a_pipeline_that_does_not(notebook: Any) -> None:
    from nbmlops.notebook.mlops_lines import parse_line
    from nbmlops.notebook.model import MagicAction

    lines = [parse_line(text) for text in ("schema infer flights", "schema check flights", "schema diff a b")]
    assert [(line.python, line.action) for line in lines] == [("", MagicAction.DROP)] * 3
