import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nbmlops.data.schema.diff import Change, diff_schemas
from nbmlops.data.schema.model import ColumnSchema, ColumnType, FrameSchema
from nbmlops.data.schema.schema import validate

OLD = FrameSchema({
    "id": ColumnSchema(ColumnType.INTEGER, min=0, max=10),
    "origin": ColumnSchema(ColumnType.TEXT, values=("JFK", "LGA")),
    "gone": ColumnSchema(ColumnType.ANY),
    "free": ColumnSchema(ColumnType.NUMBER, missing=True, required=False),
})  # fmt: skip
NEW = FrameSchema(
    {
        "id": ColumnSchema(ColumnType.NUMBER, min=-5, max=9, unique=True),
        "origin": ColumnSchema(ColumnType.TEXT, missing=True, values=("EWR", "JFK"), private=True),
        "free": ColumnSchema(ColumnType.NUMBER),
        "new": ColumnSchema(ColumnType.TEXT),
        "extra": ColumnSchema(ColumnType.TEXT, required=False),
    },
    other_columns=False,
)


def test_each_change_says_whether_it_breaks_and_why() -> None:
    assert diff_schemas(OLD, NEW) == (
        Change("", "other_columns", "allowed", "refused", True, "columns that the schema does not name passed before"),
        Change("id", "type", "integer", "number", False, "every value of the old type is one of the new"),
        Change("id", "min", "0", "-5", False, "values below 0 pass now"),
        Change("id", "max", "10", "9", True, "values above 9 passed before"),
        Change("id", "unique", "false", "true", True, "values that stand twice passed before"),
        Change("origin", "missing", "false", "true", False, "missing values pass now"),
        Change("origin", "values", "2 texts", "2 texts", True, "no longer allowed: 1 texts"),
        Change("origin", "private", "false", "true", False, "only what messages show is another"),
        Change("gone", "column", "any", "none", True,
               "data has the column, and columns that the schema does not name are refused"),
        Change("free", "missing", "true", "false", True, "missing values passed before"),
        Change("free", "required", "false", "true", True, "data without the column passed before"),
        Change("new", "column", "none", "text", True, "data that the old schema let pass may lack the column"),
        Change("extra", "column", "none", "text", False, "data may do without the column"),
    )  # fmt: skip


def test_what_is_loosened_the_other_way_round() -> None:
    assert [(one.column, one.rule) for one in diff_schemas(NEW, OLD) if one.breaking] == [
        ("id", "type"), ("id", "min"), ("origin", "missing"), ("origin", "values"), ("gone", "column"),
    ]  # fmt: skip
    assert diff_schemas(OLD, OLD) == ()


columns = st.builds(
    ColumnSchema,
    type=st.sampled_from([ColumnType.INTEGER, ColumnType.NUMBER]),
    missing=st.booleans(),
    required=st.booleans(),
    min=st.sampled_from([None, -1.0, 0.0]),
    max=st.sampled_from([None, 1.0, 2.0]),
    unique=st.booleans(),
)
texts = st.builds(
    ColumnSchema,
    type=st.just(ColumnType.TEXT),
    missing=st.booleans(),
    values=st.sampled_from([(), ("x",), ("x", "y")]),
    unique=st.booleans(),
)
times = st.builds(
    ColumnSchema,
    type=st.just(ColumnType.DATETIME),
    earliest=st.sampled_from(["", "2024-01-01", "2024-01-02", "2024-01-01T00:00:00+02:00"]),
    latest=st.sampled_from(["", "2024-01-03", "2024-01-03T00:00:00", "2024-01-02T12:00:00"]),
    time_zone=st.sampled_from(["", "none", "UTC"]),
)
schemas = st.builds(
    FrameSchema, st.dictionaries(st.sampled_from("ab"), st.one_of(columns, texts, times), max_size=2), st.booleans()
)
moments = st.sampled_from(["2023-12-31T22:00", "2024-01-01", "2024-01-02T18:00", "2024-01-03", "2024-01-04"])
zones = st.sampled_from([None, "UTC", "Europe/Berlin"])
datetimes = st.builds(
    lambda found, zone: pd.DatetimeIndex(found).tz_localize(zone), st.lists(moments, min_size=2, max_size=2), zones
)
values = st.one_of(datetimes, st.lists(st.sampled_from([None, -1, 0, 0.5, 1, 2]), min_size=2, max_size=2),
                   st.lists(st.sampled_from([None, "x", "y", "z"]), min_size=2, max_size=2))  # fmt: skip
frames = st.dictionaries(st.sampled_from("ab"), values, max_size=2).map(lambda found: pd.DataFrame(found, index=[0, 1]))


@settings(max_examples=150)
@given(schemas, schemas, frames)
def test_data_that_passed_passes_what_is_compatible(old: FrameSchema, new: FrameSchema, frame: pd.DataFrame) -> None:
    # A column that the old schema did not name may hold anything; that is not counted as breaking.
    known = replace(old, columns={**old.columns}, other_columns=old.other_columns)
    frame = frame[[name for name in frame if name in known.columns]]
    if validate(frame, old).passed and not any(change.breaking for change in diff_schemas(old, new)):
        assert validate(frame, new).passed


def test_changes_of_times_say_whether_they_break() -> None:
    old = ColumnSchema(ColumnType.DATETIME, earliest="2013-01-01", latest="2024-01-01")
    new = ColumnSchema(ColumnType.DATETIME, earliest="2012-01-01", latest="2023-12-31", time_zone="UTC")
    offset = ColumnSchema(ColumnType.DATETIME, earliest="2013-01-01T00:00:00+00:00")
    assert diff_schemas(FrameSchema({"t": old}), FrameSchema({"t": new})) == (
        Change("t", "earliest", "2013-01-01", "2012-01-01", False, "times before 2013-01-01 pass now"),
        Change("t", "latest", "2024-01-01", "2023-12-31", True, "times after 2023-12-31 passed before"),
        Change("t", "time_zone", "any", "UTC", True, "times of another zone passed before"),
    )
    assert [one.breaking for one in diff_schemas(FrameSchema({"t": new}), FrameSchema({"t": old}))] == [
        True,
        False,
        False,
    ]
    assert diff_schemas(FrameSchema({"t": old}), FrameSchema({"t": offset}))[0] == Change(
        "t", "earliest", "2013-01-01", "2013-01-01T00:00:00+00:00", True,
        "one counts in the zone of the data, the other does not",
    )  # fmt: skip
