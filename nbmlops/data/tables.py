"""Frames of pandas, polars and Arrow seen alike: columns by position, with name, type and a pandas series of values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nbmlops.data.fingerprints.arrow import decoded

if TYPE_CHECKING:
    import pandas as pd


def column_names(frame: Any) -> list[tuple[str, str]]:
    """Returns name and type of each column, by position."""
    if hasattr(frame, "iloc"):
        return [(str(label), str(dtype)) for label, dtype in zip(frame.columns, frame.dtypes, strict=True)]
    types = frame.dtypes if hasattr(frame, "get_columns") else frame.schema.types
    names = frame.columns if hasattr(frame, "get_columns") else frame.column_names
    return [(str(name), str(type_)) for name, type_ in zip(names, types, strict=True)]


def columns_of(frame: Any, most: int) -> Iterator[tuple[str, str, pd.Series[Any]]]:
    """Yields name, type and values of the first columns; the values are not copied where that can be helped."""
    for position, (name, dtype) in enumerate(column_names(frame)[:most]):
        if hasattr(frame, "iloc"):
            yield name, dtype, frame.iloc[:, position]
        elif hasattr(frame, "get_columns"):
            yield name, dtype, _of_polars(frame.to_series(position))
        else:
            yield name, dtype, _of_arrow(frame.column(position))


def _of_polars(series: Any) -> pd.Series[Any]:
    import pandas as pd
    import polars as pl

    return pd.Series(series.to_list(), dtype=object) if series.dtype == pl.Object else _of_arrow(series.to_arrow())


def _of_arrow(column: Any) -> pd.Series[Any]:
    import pandas as pd
    import pyarrow as pa

    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    if pa.types.is_dictionary(chunked.type):
        chunked = decoded(chunked)
    if pa.types.is_string_view(chunked.type) or pa.types.is_binary_view(chunked.type):
        chunked = chunked.cast(pa.large_string() if pa.types.is_string_view(chunked.type) else pa.large_binary())
    if pa.types.is_float16(chunked.type):
        chunked = chunked.cast(pa.float32())
    return pd.Series(pd.arrays.ArrowExtensionArray(chunked))
