"""The JSON Schemas of profiles and of differences between data, against documents of real data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames

from nbmlops.cli.main import main
from nbmlops.data.describe import describe
from nbmlops.data.profiles.diff import diff_records
from nbmlops.data.profiles.profile import bounded, profile

SCHEMAS = Path(__file__).parents[3] / "docs" / "reference" / "schemas"
ROWS = 40
FRAME = pd.DataFrame(
    {
        "id": [f"u{number}" for number in range(ROWS)],
        "distance": range(ROWS),
        "delay": [None, np.inf, *np.linspace(-3, 90, ROWS - 2)],
        "origin": ["JFK", None] * (ROWS // 2),
        "late": [True, False] * (ROWS // 2),
        "when": pd.date_range("2013-01-01", periods=ROWS, freq="h", tz="America/New_York"),
        "took": pd.to_timedelta(range(ROWS), unit="min"),
        "kind": pd.Categorical(["a"] * ROWS, categories=["a", "never"]),
        "lists": [[1]] * ROWS,
        "mixed": [1, "a"] * (ROWS // 2),
        "nothing": [None] * ROWS,
        "largest": [2**63 - 1] * ROWS,
        "huge": [-1.7e308, 1.7e308] * (ROWS // 2),
        "email": ["a@example.org", "b@example.org"] * (ROWS // 2),
    }
)
FRAMES: Mapping[str, Any] = {
    "everything": FRAME,
    "no rows": FRAME.iloc[:0],
    "no columns": FRAME[[]],
    "other values": FRAME.assign(delay=5.0, origin="LGA", late=True, when=FRAME.when + pd.Timedelta(days=1)),
    "other types": FRAME.astype({"distance": "int32", "kind": str, "late": object}),
    "renamed": FRAME.rename(columns={"origin": "from", "delay": "late by"})[::-1],
    "many columns": pd.DataFrame(np.zeros((2, 203))),
    "polars": pl.DataFrame({"a": [1, 2], "b": ["x", None]}),
    "Arrow": pa.table({"a": [1.5, None], "b": [[1], [2]]}),
}


def strict(schema: Any) -> Any:
    """Returns the schema without leave for keys that it does not name, so that it has to name all of them."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: strict(value) for key, value in schema.items()}
    return inner | (
        {"additionalProperties": False} if schema.get("type") == "object" and "properties" in schema else {}
    )


def check(name: str, document: object, part: str = "") -> None:
    schema = strict(json.loads((SCHEMAS / name).read_text()))
    jsonschema.Draft202012Validator.check_schema(schema)
    if part:
        schema = {"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document, allow_nan=False)))


@pytest.mark.parametrize("name", FRAMES)
def test_profiles_of_every_kind_of_data_are_valid(name: str) -> None:
    summary = describe(FRAMES[name], "data").profile
    for document in (summary, bounded(summary, 2_000), bounded(summary, 200)):
        check("profile.json", document)


@pytest.mark.parametrize("names", list(pairwise([*FRAMES, "everything"])), ids=" to ".join)
def test_differences_between_all_kinds_of_data_are_valid(names: tuple[str, str]) -> None:
    before, after = (describe(FRAMES[name], name) for name in names)
    check("data-diff.json", diff_records(before, after).to_json(), "diff")


@settings(max_examples=25, deadline=None)
@given(
    data_frames(
        [
            column("x", elements=st.floats() | st.integers(-(2**53), 2**53).map(float), dtype=float),
            column("s", elements=st.text(st.characters(exclude_categories=["Cs"])) | st.none() | st.integers(0, 3)),
        ]
    )
)
def test_profiles_of_any_values_are_valid(frame: pd.DataFrame) -> None:
    check("profile.json", profile(frame))
    check("data-diff.json", diff_records(describe(frame, "a"), describe(frame[::-1], "b")).to_json(), "diff")


def test_the_document_of_the_command_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    FRAME[["id", "delay"]].to_parquet(old)
    FRAME.assign(delay=1.0)[["id", "delay", "late"]].to_parquet(new)
    assert main(["data", "diff", str(old), str(new), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    check("data-diff.json", document)
    assert [(one["name"], one["what"]) for one in document["diffs"][0]["columns"]] == [
        ("delay", "values"),
        ("late", "added"),
    ]
