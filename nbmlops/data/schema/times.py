"""Rules about dates and times: the earliest and the latest one, and the time zone of a column.

Bounds are texts of ISO 8601. One without an offset counts in the column's own zone; a day alone is its first moment.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, UTC, datetime
from typing import TYPE_CHECKING, Any

from nbmlops.data.schema.model import ColumnType, type_of

if TYPE_CHECKING:
    import pandas as pd

NO_ZONE = "none"
MARGIN_YEARS = 10
_UTC = frozenset({"Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Z", "UTC+00:00", "+00:00", "tzutc()"})
_ZONE = re.compile(r"none|UTC(?:[+-]\d\d:\d\d)?|[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")


def time_bounds(series: pd.Series[Any]) -> tuple[str, str]:
    """Returns the earliest and the latest date that later data may hold, "" for one beyond the years 1 to 9999.

    Time goes on, and data with it: the margin is ten years, or the data's own range where that is wider, rounded
    outwards to whole years. What falls out are dates that are no data: 1900-01-01, 9999-12-31, slips of the pen.

    Args:
        series: Dates and times, none of them missing.
    """
    low, high = series.min(), series.max()
    years = max(MARGIN_YEARS, high.year - low.year)
    first, last = low.year - years, high.year + years + 1
    return f"{first:04d}-01-01" if first >= 1 else "", f"{last:04d}-01-01" if last <= MAXYEAR else ""


def zone_of(series: pd.Series[Any]) -> str:
    """Returns the name of a datetime column's time zone, "none" where it has none."""
    zone = series.dt.tz
    if zone is None:
        return NO_ZONE
    name = str(zone)
    return "UTC" if name in _UTC else name


def is_zone(text: str) -> bool:
    """Returns whether a text may name a time zone: `none`, `UTC`, `UTC+02:00`, `Europe/Berlin`."""
    return _ZONE.fullmatch(text) is not None


def normal_time(text: str) -> str | None:
    """Returns a date or time as it is written in schemas, None if the text is none of the years 1 to 9999 in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        order_of(text)
    except (ValueError, OverflowError):
        return None
    is_date = len(text) <= len("2024-01-31") and moment.time().isoformat() == "00:00:00"
    return moment.date().isoformat() if is_date else moment.isoformat()


def order_of(text: str) -> datetime:
    """Returns what orders bounds: the moment, one without an offset as if its zone were UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def has_offset(text: str) -> bool:
    """Returns whether a bound says its offset, so that it means one moment in every zone."""
    return datetime.fromisoformat(text).tzinfo is not None


def beyond(series: pd.Series[Any], bound: str, *, before: bool) -> Any:
    """Returns which rows lie before the bound, or after it; none where the column holds no datetimes.

    Args:
        series: The column; missing values lie nowhere.
        bound: As in the schema.
        before: Whether to look before it.
    """
    import pandas as pd

    if type_of(series) is not ColumnType.DATETIME:
        return pd.Series(False, index=series.index)
    limit, zone = pd.Timestamp(bound), series.dt.tz
    if zone is not None and limit.tz is None:
        limit = limit.tz_localize(zone, ambiguous=before, nonexistent="shift_forward")
    elif zone is None and limit.tz is not None:
        limit = limit.tz_convert("UTC").tz_localize(None)
    found = series < limit if before else series > limit
    return found.fillna(value=False).astype(bool)
