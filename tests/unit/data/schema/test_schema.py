from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbmlops.core.errors import UsageError
from nbmlops.core.records import CheckRecord
from nbmlops.data.schema import check as schema_check
from nbmlops.data.schema.schema import (
    ColumnSchema,
    ColumnType,
    FrameSchema,
    infer_schema,
    schema_from_yaml,
    schema_to_yaml,
    to_pandera,
    validate,
)

FRAME = pd.DataFrame(
    {
        "id": range(1000, 1200),
        "month": [1, 2] * 100,
        "delay": [None, *np.linspace(-3.5, 96.25, 199)],
        "origin": ["JFK", "LGA"] * 100,
        "name": [f"n{number}" for number in range(200)],
        "late": [True, False] * 100,
        "when": pd.date_range("2024-01-01", periods=200, freq="h"),
        "took": pd.to_timedelta(range(200), unit="s"),
        "kind": pd.Categorical(["a"] * 199 + ["rare"]),
        "cells": [[1]] * 200,
    }
)
TEXT = """\
# What a frame must look like, made by nbmlops from data and meant to be edited.
# type: integer | number | boolean | text | datetime | duration | any; missing: may values be missing;
# required: must the column be there; min, max: smallest and largest value; values: the only texts allowed;
# unique: may no value stand twice; private: may no value be shown; of datetimes: earliest, latest, time_zone.
schema: nbmlops/frame-schema/1
other_columns: allowed
columns:
  id: {type: integer, min: 800, max: 1400, unique: true}
  month: {type: integer}
  delay: {type: number, missing: true, min: -110, max: 200}
  origin:
    type: text
    values: [JFK, LGA]
  name: {type: text, unique: true}
  late: {type: boolean}
  when: {type: datetime, earliest: 2014-01-01, latest: 2035-01-01, time_zone: none}
  took: {type: duration}
  kind: {type: text}
  cells: {type: any}
"""


def test_the_inferred_schema_reads_well() -> None:
    assert schema_to_yaml(infer_schema(FRAME)).decode() == TEXT


def test_the_schema_comes_back_as_it_was_written() -> None:
    assert schema_from_yaml(TEXT) == infer_schema(FRAME)


def test_the_frame_fulfils_its_own_schema() -> None:
    assert validate(FRAME, infer_schema(FRAME), data="df", name="flights") == CheckRecord("df", "flights", True)


DRIFTED: dict[str, pd.DataFrame] = {
    "other months": FRAME.assign(month=12, when=FRAME.when + pd.Timedelta(days=400)),
    "other columns beside": FRAME.assign(more=1),
    "columns in another order": FRAME[FRAME.columns[::-1]],
    "other widths": FRAME.astype({"id": "int32", "delay": "float32", "month": "Int64"}),
    "objects and categories": FRAME.astype({"origin": object, "name": "category", "kind": "string"}),
    "no rows": FRAME.iloc[:0],
    "all missing": FRAME.assign(delay=None),
    "integers as whole floats": FRAME.assign(id=FRAME.id.astype(float)),
    "numbers as integers": FRAME.assign(delay=5),
    "new rare text": FRAME.assign(kind="new"),
}


@pytest.mark.parametrize("name", DRIFTED)
def test_data_that_only_drifts_passes(name: str) -> None:
    assert validate(DRIFTED[name], infer_schema(FRAME)) == CheckRecord("", "", True)


FAILURES: dict[str, tuple[pd.DataFrame, tuple[str, ...]]] = {
    "column missing": (FRAME.drop(columns="month"), ("month: the column is missing",)),
    "type": (FRAME.assign(id="x", late=1), (
        "id: is text (str), but the schema says integer", "late: is integer (int64), but the schema says boolean",
    )),
    "type of objects": (
        FRAME.assign(origin=[1, "a"] * 100), ("origin: is stored as object, but the schema says text",),
    ),
    "fractions": (FRAME.assign(id=0.5), ("id: is number (float64), but the schema says integer",)),
    "missing": (
        FRAME.assign(id=FRAME.id.mask(FRAME.index.isin([3, 5, 8, 13]))),
        ("id: 4 rows without a value (row 3, 5, 8, …)",),
    ),
    "range": (
        FRAME.assign(delay=[-500.0, 700.0, 700.0, *[0.0] * 197]),
        ("delay: 1 row below min -110 (-500.0)", "delay: 2 rows above max 200 (700.0)"),
    ),
    "times": (
        FRAME.assign(when=pd.to_datetime(["1970-01-01", "2035-01-01", "2035-01-02", *["2024-01-01"] * 197])),
        ("when: 1 row before 2014-01-01 (1970-01-01 00:00:00)", "when: 1 row after 2035-01-01 (2035-01-02 00:00:00)"),
    ),
    "time zone": (
        FRAME.assign(when=FRAME.when.dt.tz_localize("UTC")), ("when: its time zone is UTC, but the schema says none",),
    ),
    "values": (
        FRAME.assign(origin=["EWR", "<b>", "x" * 50, "XX", *["JFK"] * 196]),
        (f"origin: 4 rows with a text that is not in `values` ('EWR', '<b>', '{'x' * 38}…, …)",),
    ),
    "two columns of one name": (
        pd.concat([FRAME, FRAME["id"]], axis=1), ("id: two columns have this name",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_failures_are_sentences(name: str) -> None:
    frame, failures = FAILURES[name]
    record = validate(frame, infer_schema(FRAME), data="df", name="s")
    assert record == CheckRecord("df", "s", False, failures, record.findings)
    assert tuple(finding.message for finding in record.findings) == failures


def test_findings_are_for_programs() -> None:
    schema = FrameSchema(
        {
            "a": ColumnSchema(ColumnType.INTEGER, min=0, max=10, unique=True),
            "b": ColumnSchema(ColumnType.TEXT, values=("x",), private=True),
            "c": ColumnSchema(ColumnType.NUMBER),
        }
    )
    frame = pd.DataFrame({"a": [-1, 5, 5, 99], "b": ["x", "secret", "x", None], "c": ["1"] * 4}, index=list("pqrs"))
    record = validate(frame, schema)
    assert [(found.column, found.rule, found.rows, found.examples) for found in record.findings] == [
        ("a", "min", 1, ("-1",)),
        ("a", "max", 1, ("99",)),
        ("a", "unique", 2, ("5",)),
        ("b", "missing", 1, ("'s'",)),
        ("b", "values", 1, ()),
        ("c", "type", 4, ()),
    ]
    assert "secret" not in repr(record)


@settings(max_examples=50)
@given(
    st.lists(st.one_of(st.none(), st.integers(-3, 3), st.floats(-3, 3), st.sampled_from(["x", "y", "3"])), max_size=4),
    st.sampled_from(list(ColumnType)),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, -1.0, 2.0]),
)
def test_pandera_and_the_findings_agree(
    values: list[object], kind: ColumnType, missing: bool, unique: bool, bound: float | None
) -> None:
    numeric = kind in {ColumnType.INTEGER, ColumnType.NUMBER}
    column = ColumnSchema(
        kind, missing, max=bound if numeric else None, values=("x", "z") if kind is ColumnType.TEXT else (),
        unique=unique and kind is not ColumnType.ANY,
    )  # fmt: skip
    record = validate(pd.DataFrame({"a": values}), FrameSchema({"a": column}))
    assert record.passed is (not record.findings)
    assert [finding.rule for finding in record.findings if finding.rule == "pandera"] == []


def test_an_edited_schema_may_refuse_other_columns_and_forgive_absent_ones() -> None:
    schema = FrameSchema(
        {"a": ColumnSchema(ColumnType.INTEGER), "b": ColumnSchema(ColumnType.TEXT, required=False)}, other_columns=False
    )
    assert validate(pd.DataFrame({"a": [1]}), schema).passed
    assert validate(pd.DataFrame({"a": [1], "c": [2]}), schema).failures == (
        "c: the schema does not know this column, and allows no others",
    )


def test_labels_that_are_no_texts_are_compared_as_texts() -> None:
    frame = pd.DataFrame({0: [1, 2], ("a", "b"): ["x", "y"]})
    assert list(infer_schema(frame).columns) == ["0", "('a', 'b')"]
    assert validate(frame, infer_schema(frame)).passed


def test_many_failures_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_check, "MAX_FAILURES", 2)
    assert validate(FRAME[["late"]], infer_schema(FRAME)).failures == (
        "id: the column is missing", "month: the column is missing", "and 7 more failures",
    )  # fmt: skip


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(UsageError, match="only data frames can be checked, not list"):
        validate([], infer_schema(FRAME))  # type: ignore[arg-type]  # the fault under test
    with pytest.raises(UsageError, match="a schema can be inferred from a data frame, not from Series"):
        infer_schema(FRAME["id"])  # type: ignore[arg-type]  # the fault under test
    with pytest.raises(UsageError, match="two columns are named 'id'"):
        infer_schema(pd.concat([FRAME, FRAME["id"]], axis=1))


def test_the_schema_is_a_pandera_schema() -> None:
    lowered = to_pandera(infer_schema(FRAME))
    assert list(lowered.columns) == list(FRAME.columns)
    assert [column for column in lowered.columns if lowered.columns[column].nullable] == ["delay"]


@pytest.mark.parametrize(
    ("low", "high", "bounds"),
    [
        (0, 9, (0, 18)),
        (5, 14, (0, 23)),
        (100, 109, (91, 120)),
        (-14, -5, (-23, 0)),
        (-0.001, 0.0013, (-0.0033, 0.0036)),
        (1e300, 9e300, (0, 1.7e301)),
        (-1.7e308, 1.7e308, (None, None)),
    ],
)
def test_ranges_are_widened_to_round_numbers(low: float, high: float, bounds: tuple) -> None:
    column = infer_schema(pd.DataFrame({"x": np.linspace(low / 2, high / 2, 10) * 2})).columns["x"]
    assert (column.min, column.max) == bounds


def test_infinite_columns_have_no_range() -> None:
    column = infer_schema(pd.DataFrame({"x": [np.inf, *range(20)]})).columns["x"]
    assert (column.min, column.max) == (None, None)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
bounds = st.none() | st.floats(-1e6, 0) | st.integers(-(10**6), 0).map(float)
columns = st.one_of(
    st.builds(
        ColumnSchema, st.sampled_from([ColumnType.INTEGER, ColumnType.NUMBER]), st.booleans(), st.booleans(),
        bounds, bounds.map(lambda bound: None if bound is None else -bound),
    ),
    st.builds(ColumnSchema, st.just(ColumnType.TEXT), values=st.lists(texts, max_size=3).map(tuple)),
    st.builds(ColumnSchema, st.sampled_from([ColumnType.BOOLEAN, ColumnType.ANY]), st.booleans(), st.booleans()),
    st.builds(
        ColumnSchema, st.just(ColumnType.DATETIME), earliest=st.sampled_from(["", "0001-01-01", "2024-01-31T10:00:00"]),
        latest=st.sampled_from(["", "2024-02-01", "2024-02-01T10:00:00.000001+02:00"]),
        time_zone=st.sampled_from(["", "none", "UTC", "UTC-03:30", "America/Argentina/Buenos_Aires"]),
    ),
)  # fmt: skip


@settings(max_examples=80)
@given(schema=st.builds(FrameSchema, st.dictionaries(texts, columns, max_size=4), st.booleans()))
def test_every_schema_survives(schema: FrameSchema) -> None:
    assert schema_from_yaml(schema_to_yaml(schema)) == schema


@settings(max_examples=20)
@given(numbers=st.lists(st.floats(allow_infinity=False) | st.integers(-9, 9), max_size=30), strings=st.data())
def test_every_frame_fulfils_its_own_schema(numbers: list, strings: st.DataObject) -> None:
    words = strings.draw(st.lists(texts | st.none(), min_size=len(numbers), max_size=len(numbers)))
    frame = pd.DataFrame({"n": pd.Series(numbers, dtype="float64"), "s": pd.Series(words, dtype="str")})
    assert validate(frame, infer_schema(frame)) == CheckRecord("", "", True)


def replaced(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


TYPES = "integer, number, boolean, text, datetime, duration, any"
BROKEN = {
    "not YAML": ("a: [\n", "flights.yaml line 2: did not find expected node content\nhint: correct the YAML syntax"),
    "empty": ("", "flights.yaml is empty\nhint: let nbmlops make it again: delete the file"),
    "a list": ("- 1", ("flights.yaml line 1: the schema must be a mapping of keys to values\n"
        "hint: write `key: value` on each line")),
    "version": (
        replaced("frame-schema/1", "frame-schema/2"),
        """flights.yaml line 5: schema must be nbmlops/frame-schema/1, not 'nbmlops/frame-schema/2'
hint: write `schema: nbmlops/frame-schema/1`""",
    ),
    "no version": (
        "columns: {}",
        """flights.yaml line 1: schema must be nbmlops/frame-schema/1, not no schema
hint: write `schema: nbmlops/frame-schema/1`""",
    ),
    "no columns": (
        "schema: nbmlops/frame-schema/1",
        "flights.yaml line 1: columns is missing\nhint: name the columns below `columns:`",
    ),
    "unknown key": (
        replaced("  late: {type", "  late: {tipe"),
        "flights.yaml line 15: columns.late: the key 'tipe' is not known\nhint: did you mean 'type'?",
    ),
    "another unknown key": (
        replaced("other_columns: allowed", "x: 1"),
        "flights.yaml line 6: the schema: the key 'x' is not known\nhint: known keys: columns, other_columns, schema",
    ),
    "unknown type": (
        replaced("late: {type: boolean", "late: {type: bolean"),
        f"""flights.yaml line 15: columns.late.type must be one of {TYPES}, not 'bolean'
hint: did you mean 'boolean'?""",
    ),
    "no type": (
        replaced("late: {type: boolean}", "late: {}"),
        f"""flights.yaml line 15: columns.late.type is missing
hint: one of {TYPES}""",
    ),
    "key twice": (replaced("  month:", "  id:"), ("flights.yaml line 9: columns: the key 'id' stands twice\n"
        "hint: keep one of the two")),
    "bound": (replaced("min: 800", "min: low"), ("flights.yaml line 8: columns.id.min must be a number, not 'low'\n"
        "hint: write `min: 0`, or leave it out")),
    "NaN": (replaced("min: 800", "min: .nan"), ("flights.yaml line 8: columns.id.min must be a number, not '.nan'\n"
        "hint: write `min: 0`, or leave it out")),
    "bounds": (replaced("min: 800", "min: 8000"), ("flights.yaml line 8: columns.id.min is larger than columns.id.max\n"
        "hint: exchange them")),
    "bound of texts": (
        replaced("kind: {type: text}", "kind: {type: text, min: 1}"),
        ("flights.yaml line 18: columns.kind.min needs `type: integer` or `type: number`\n"
        "hint: remove the key, or correct the type"),
    ),
    "values of numbers": (
        replaced("month: {type: integer}", "month: {type: integer, values: [a]}"),
        "flights.yaml line 9: columns.month.values needs `type: text`\nhint: remove the key, or correct the type",
    ),
    "truth value": (
        replaced("missing: true", "missing: maybe"),
        ("flights.yaml line 10: columns.delay.missing must be true or false, not 'maybe'\n"
        "hint: write `missing: true`, or leave it out"),
    ),
    "unique": (
        replaced("cells: {type: any", "cells: {type: any, unique: true"),
        ("flights.yaml line 19: columns.cells.unique needs a type other than `any`\n"
        "hint: remove the key, or correct the type"),
    ),
    "infinite": (
        replaced("min: 800", "min: -.inf"),
        "flights.yaml line 8: columns.id.min must be a number, not '-.inf'\nhint: write `min: 0`, or leave it out",
    ),
    "values": (
        replaced("[JFK, LGA]", "[JFK, NO]"),
        "flights.yaml line 13: columns.origin.values: 'NO' is not a text\nhint: put it in quotes",
    ),
    "no values": (
        replaced("[JFK, LGA]", "JFK"),
        "flights.yaml line 13: columns.origin.values must be a list of texts, not 'JFK'\nhint: write `values: [a, b]`",
    ),
    "anchors": (
        replaced("[JFK, LGA]", "&a [*a]"),
        "flights.yaml line 13: anchors and deep nesting are not allowed\nhint: write the values out",
    ),
    "depth": ("a: " + "[" * 3000, ("flights.yaml line 1: anchors and deep nesting are not allowed\n"
        "hint: write the values out")),
    "date": (
        replaced("earliest: 2014-01-01", "earliest: 2014-13-01"),
        ("flights.yaml line 16: columns.when.earliest must be a date or a time, not '2014-13-01'\n"
        "hint: write `earliest: 2024-01-31`, or leave it out"),
    ),
    "dates": (
        replaced("earliest: 2014", "earliest: 2040"),
        "flights.yaml line 16: columns.when.earliest is later than columns.when.latest\nhint: exchange them",
    ),
    "date of texts": (
        replaced("kind: {type: text}", "kind: {type: text, latest: 2014-01-01}"),
        ("flights.yaml line 18: columns.kind.latest needs `type: datetime`\n"
        "hint: remove the key, or correct the type"),
    ),
    "zone": (
        replaced("time_zone: none", "time_zone: in Berlin"),
        ("flights.yaml line 16: columns.when.time_zone must name a time zone, not 'in Berlin'\n"
        "hint: write `time_zone: UTC`, `Europe/Berlin` or `none`, or leave it out"),
    ),
    "control characters": (
        "\x00", "flights.yaml is not YAML: unacceptable character #x0000: control characters are not allowed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_schema_is_refused_with_file_line_and_key(name: str, tmp_path: Path) -> None:
    text, message = BROKEN[name]
    with pytest.raises(UsageError) as caught:
        schema_from_yaml(text.encode(), "flights.yaml")
    assert str(caught.value) == message
