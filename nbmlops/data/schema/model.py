"""What a frame schema says, as records: the meaning of the YAML file that people edit."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

SCHEMA = "nbmlops/frame-schema/1"


class ColumnType(StrEnum):
    """What kind of values a column holds; widths and storage do not matter, so that CSV and Parquet both pass."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATETIME = "datetime"
    DURATION = "duration"
    ANY = "any"


class ColumnSchema(Struct, frozen=True):
    """The rules of one column.

    Attributes:
        type: What its values are. Integers pass as numbers; integers with missing ones may be stored as floats.
        missing: Whether values may be missing.
        required: Whether the column must be there.
        min: Smallest value allowed, for integers and numbers.
        max: Largest value allowed.
        values: The only values allowed, for texts; empty when any is.
        unique: Whether no value may stand in two rows; missing ones are no values.
        private: Whether messages and documents show no values of it.
        earliest: First date or time allowed, for datetimes, as `times` has it; "" for no such rule.
        latest: Last one allowed.
        time_zone: Name of their time zone, "none" for datetimes without one; "" for no such rule.
    """

    type: ColumnType
    missing: bool = False
    required: bool = True
    min: float | None = None
    max: float | None = None
    values: tuple[str, ...] = ()
    unique: bool = False
    private: bool = False
    earliest: str = ""
    latest: str = ""
    time_zone: str = ""


class FrameSchema(Struct, frozen=True):
    """The rules of a frame: of its columns by name, in order, and whether others are allowed beside them."""

    columns: Mapping[str, ColumnSchema]
    other_columns: bool = True


def type_of(series: Any) -> ColumnType:
    """Returns what kind of values a pandas column holds."""
    from pandas.api import types

    dtype = series.dtype
    if isinstance(dtype, types.CategoricalDtype):
        # Numbers stored as categories have no order, so no rule for numbers fits them.
        return ColumnType.TEXT if type_of(series.cat.categories) is ColumnType.TEXT else ColumnType.ANY
    tests = (
        (types.is_bool_dtype, ColumnType.BOOLEAN),
        (types.is_integer_dtype, ColumnType.INTEGER),
        (types.is_float_dtype, ColumnType.NUMBER),
        (types.is_datetime64_any_dtype, ColumnType.DATETIME),
        (types.is_timedelta64_dtype, ColumnType.DURATION),
    )
    found = next((kind for test, kind in tests if test(dtype)), None)
    if found is None:
        inferred = types.infer_dtype(series, skipna=True)
        found = {"string": ColumnType.TEXT, "empty": ColumnType.TEXT}.get(inferred, ColumnType.ANY)
    return found
