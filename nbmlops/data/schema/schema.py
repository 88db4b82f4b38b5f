"""Frame schemas: inferred once from data, kept as YAML that people edit, and checked against later data.

The other modules of this family are reached through this one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nbmlops.core.errors import UsageError
from nbmlops.data.schema.check import to_pandera, validate
from nbmlops.data.schema.codec import schema_from_yaml, schema_to_yaml
from nbmlops.data.schema.model import ColumnSchema, ColumnType, FrameSchema, type_of
from nbmlops.data.schema.times import time_bounds, zone_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ColumnSchema",
    "ColumnType",
    "FrameSchema",
    "infer_schema",
    "schema_from_yaml",
    "schema_to_yaml",
    "to_pandera",
    "validate",
]

RANGE_FROM = 10
"""A numeric column with fewer distinct values than this gets no range: the next month may bring a new one."""
MARGIN = 1.0
"""A range is widened by this part of its width at both ends."""
MAX_VALUES = 30
UNIQUE_FROM = 100
"""Values of fewer rows may differ by chance."""
TIMES_SEEN = 5
"""Texts are listed as the only ones allowed if each was seen this often: rare ones announce others."""


def infer_schema(frame: pd.DataFrame) -> FrameSchema:
    """Returns rules that the frame fulfils, with margins so that other periods of the same data fulfil them too.

    Raises:
        UsageError: the value is no frame, or two of its columns have one name.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"a schema can be inferred from a data frame, not from {type(frame).__name__}")
    columns: dict[str, ColumnSchema] = {}
    for label, series in frame.items():
        if str(label) in columns:
            raise UsageError(f"two columns are named {str(label)!r}", "rename one of them before the check")
        columns[str(label)] = _infer_column(series)
    return FrameSchema(columns)


def _infer_column(series: pd.Series[Any]) -> ColumnSchema:
    kind = type_of(series)
    missing = bool(series.isna().any())
    if kind in {ColumnType.INTEGER, ColumnType.NUMBER}:
        low, high = _range(series)
        unique = kind is ColumnType.INTEGER and _is_key(series)
        return ColumnSchema(kind, missing, min=low, max=high, unique=unique)
    if kind is ColumnType.TEXT:
        return ColumnSchema(kind, missing, values=_values(series), unique=_is_key(series))
    if kind is ColumnType.DATETIME:
        earliest, latest = time_bounds(series.dropna()) if series.nunique() >= RANGE_FROM else ("", "")
        return ColumnSchema(kind, missing, earliest=earliest, latest=latest, time_zone=zone_of(series))
    return ColumnSchema(kind, missing)


def _is_key(series: pd.Series[Any]) -> bool:
    """Returns whether each of many rows has a value of its own: that few ones differ says nothing."""
    return len(series) >= UNIQUE_FROM and bool(series.is_unique) and not series.isna().any()


def _range(series: pd.Series[Any]) -> tuple[float | None, float | None]:
    import numpy as np

    if series.nunique() < RANGE_FROM:
        return None, None
    numbers = series.dropna().to_numpy(dtype="float64")
    finite = numbers[np.isfinite(numbers)]
    if len(finite) < len(numbers) or not len(finite):
        return None, None
    low, high = float(finite.min()), float(finite.max())
    margin = MARGIN * (high - low)
    # A sign that never occurred is a rule of its own: a distance stays positive.
    lowest = 0.0 if low >= 0 and low - margin < 0 else _rounded(low - margin, math.floor)
    highest = 0.0 if high <= 0 and high + margin > 0 else _rounded(high + margin, math.ceil)
    return lowest, highest


def _rounded(number: float, direction: Any) -> float | None:
    """Returns the number with two significant digits, rounded outwards; None where it is too large to be a bound."""
    if number == 0:
        return 0.0
    if not math.isfinite(number):
        return None
    digits = math.floor(math.log10(abs(number))) - 1
    # A string is parsed so that 0.29 is the float of 0.29, not a sum of rounding errors.
    return float(f"{direction(number / 10.0**digits)}e{digits}")


def _values(series: pd.Series[Any]) -> tuple[str, ...]:
    counts = series.value_counts()
    counts = counts[counts > 0]
    if not 0 < len(counts) <= MAX_VALUES or counts.min() < TIMES_SEEN:
        return ()
    return tuple(sorted(str(value) for value in counts.index))
