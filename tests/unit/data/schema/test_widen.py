import pandas as pd
import pytest
from msgspec.structs import replace

from nbmlops.data.schema.model import ColumnSchema, ColumnType, FrameSchema
from nbmlops.data.schema.schema import schema_from_yaml, validate
from nbmlops.data.schema.widen import edited_text, widened

TEXT = """\
schema: nbmlops/frame-schema/1
other_columns: refused  # others would give the answer away
columns:
  # the key
  id: {type: integer, max: 10, unique: true}  # given by us
  month: {type: integer, min: 1, max: 12}
  origin: {type: text, values: [JFK, LGA]}
  late: {type: boolean}
  # at last
  took:
    type: duration
    missing: true  # cancelled ones
# end
"""
FRAME = pd.DataFrame({
    "id": [3, 20, 20], "month": [1, 2, 13], "origin": ["EWR", "JFK", None], "late": [1, 0, 1], "more": ["x", "y", "z"],
})  # fmt: skip


def test_only_what_the_data_needs_is_written_anew() -> None:
    old = schema_from_yaml(TEXT)
    new = widened(old, FRAME)
    assert (
        edited_text(TEXT, new, "flights.yaml")
        == """\
schema: nbmlops/frame-schema/1
other_columns: refused  # others would give the answer away
columns:
  # the key
  id: {type: integer, max: 20}  # given by us
  month: {type: integer, min: 1, max: 13}
  origin: {type: text, missing: true, values: [EWR, JFK, LGA]}
  late: {type: any}
  # at last
  took:
    {type: duration, missing: true, required: false}
  more: {type: text}
# end
"""
    )
    assert validate(FRAME, new).passed


def test_data_that_keeps_the_schema_changes_nothing() -> None:
    old = schema_from_yaml(TEXT)
    frame = FRAME.iloc[:1].assign(late=True, took=pd.Timedelta(1), origin="JFK").drop(columns="more")
    assert validate(frame, old).passed
    assert edited_text(TEXT, widened(old, frame), "x") == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "{schema: nbmlops/frame-schema/1, columns: {id: {type: integer}, 'b: #': {type: text}}}",
        "schema: nbmlops/frame-schema/1\ncolumns:\n    id:\n        type: integer\n    ? 'b: #'\n    : {type: text}",
        "schema: nbmlops/frame-schema/1\ncolumns: {}\n",
        'schema: nbmlops/frame-schema/1\r\ncolumns:\r\n  id: {type: integer}  # ü\r\n  "b: #": {type: text}\r\n',
    ],
)
def test_every_form_of_a_file_says_the_new_rules_afterwards(text: str) -> None:
    new = widened(schema_from_yaml(text), pd.DataFrame({"id": [0.5], "b: #": [None], "new\n": [True]}))
    wanted = FrameSchema({**new.columns, "added: {": ColumnSchema(ColumnType.TEXT, values=("yes", "#"))})
    assert schema_from_yaml(edited_text(text, wanted, "x")) == wanted


def test_times_are_widened_as_far_as_the_data_needs_it() -> None:
    times = ColumnSchema(ColumnType.DATETIME, earliest="2013-01-01", latest="2024-01-01", time_zone="none")
    few = pd.DataFrame({"t": pd.to_datetime(["2012-05-06T10:00", "2024-05-06T10:00"])})
    many = pd.DataFrame({"t": pd.date_range("2012-05-06", periods=20, freq="YE")})
    old = FrameSchema({"t": times})
    assert widened(old, few).columns["t"] == replace(times, earliest="2012-05-06", latest="2024-05-07")
    assert widened(old, many).columns["t"] == replace(times, earliest="1993-01-01", latest="2051-01-01")
    aware = few.assign(t=few.t.dt.tz_localize("UTC"))
    assert widened(old, aware).columns["t"] == replace(widened(old, few).columns["t"], time_zone="")
    for frame in (few, many, aware):
        assert validate(frame, widened(old, frame)).passed
