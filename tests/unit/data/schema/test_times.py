"""Rules about dates and times, in every form in which pandas holds them."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from nbmlops.data.schema.schema import ColumnSchema, ColumnType, FrameSchema, infer_schema, validate
from nbmlops.data.schema.times import beyond, normal_time, time_bounds, zone_of

DAYS = pd.Series(pd.date_range("2013-02-03", periods=40, freq="8h"))
FORMS = {
    "naive": (DAYS, "none"),
    "seconds": (DAYS.astype("datetime64[s]"), "none"),
    "UTC": (DAYS.dt.tz_localize("UTC"), "UTC"),
    "region": (DAYS.dt.tz_localize("Europe/Berlin"), "Europe/Berlin"),
    "offset": (DAYS.dt.tz_localize("+02:00"), "UTC+02:00"),
    "Arrow": (DAYS.astype(pd.ArrowDtype(pa.timestamp("ms"))), "none"),
    "Arrow in a zone": (
        DAYS.dt.tz_localize("UTC").astype(pd.ArrowDtype(pa.timestamp("us", "America/New_York"))),
        "America/New_York",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_datetimes_keep_what_is_inferred_from_them_and_outliers_do_not(form: str) -> None:
    series, zone = FORMS[form]
    column = ColumnSchema(ColumnType.DATETIME, earliest="2003-01-01", latest="2024-01-01", time_zone=zone)
    assert infer_schema(pd.DataFrame({"t": series})) == FrameSchema({"t": column})
    late = pd.DataFrame({"t": [*series, series.iloc[0] + pd.Timedelta(days=9000)]}).astype({"t": series.dtype})
    record = validate(late, FrameSchema({"t": column}))
    assert [(found.rule, found.rows) for found in record.findings] == [("latest", 1)]


def test_times_go_on_and_wide_ranges_widen_by_themselves() -> None:
    assert time_bounds(pd.to_datetime(pd.Series(["2013-05-01", "2014-05-01"]))) == ("2003-01-01", "2025-01-01")
    assert time_bounds(pd.to_datetime(pd.Series(["1913-05-01", "2013-05-01"]))) == ("1813-01-01", "2114-01-01")
    ancient = pd.Series(["0004-01-01", "9996-01-01"]).astype("datetime64[s]")
    assert time_bounds(ancient) == ("", "")


def test_few_different_times_give_no_range() -> None:
    column = ColumnSchema(ColumnType.DATETIME, True, time_zone="none")
    assert infer_schema(pd.DataFrame({"t": [*DAYS[:9], None] * 3})) == FrameSchema({"t": column})


def test_a_day_is_that_day_in_the_zone_of_the_column() -> None:
    there = pd.Series(pd.to_datetime(["2024-06-30T23:59", "2024-07-01T00:00", "NaT"])).dt.tz_localize("Asia/Tokyo")
    assert list(beyond(there, "2024-07-01", before=True)) == [True, False, False]
    assert list(beyond(there, "2024-06-30T15:00:00+00:00", before=True)) == [True, False, False]
    assert list(beyond(there.dt.tz_convert("UTC"), "2024-07-01", before=True)) == [True, True, False]
    assert list(beyond(there.dt.tz_localize(None), "2024-07-01T01:00:00+01:00", before=True)) == [True, False, False]
    assert list(beyond(pd.Series(["2024-01-01", None]), "2024-07-01", before=True)) == [False, False]
    # A night in which an hour is missing, or there twice, is no obstacle.
    for day in ("2024-03-31T02:30:00", "2024-10-27T02:30:00"):
        assert not beyond(DAYS.dt.tz_localize("Europe/Berlin"), day, before=False).any()


def test_names_of_utc_are_one_name() -> None:
    assert {zone_of(DAYS.dt.tz_localize(name)) for name in ("UTC", "Etc/UTC", "+00:00")} == {"UTC"}


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("2024-01-31", "2024-01-31"),
        ("20240131", "2024-01-31"),
        ("2024-01-31 10:00", "2024-01-31T10:00:00"),
        ("2024-01-31T10:00Z", "2024-01-31T10:00:00+00:00"),
        ("31.1.2024", None),
        ("0001-01-01T00:00:00+05:00", None),  # the year 0 in UTC, which Python does not know
        ("9999-12-31T23:59:59-05:00", None),
        ("", None),
    ],
)
def test_bounds_are_written_in_one_form(text: str, normal: str | None) -> None:
    assert normal_time(text) == normal
