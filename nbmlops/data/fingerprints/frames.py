"""pandas values as canonical bytes: frames, series, indexes and extension arrays, column by column.

What counts: column names and their order, dtypes, every value and which are missing, the index and its name. What does
not: block layout, slices, chunks, copies, storage of strings, `attrs`, the frequency of a datetime index, and whether
an index of equal steps is a `RangeIndex`. The table a2 of the fingerprint reference is the specification.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from nbmlops.data.fingerprints.arrays import add_elements, add_numbers
from nbmlops.data.fingerprints.arrow import PIECE_ROWS, add_arrow, add_validity
from nbmlops.data.fingerprints.cells import DigestOf, Reader, of_numpy
from nbmlops.data.fingerprints.cells_pandas import reader_of_pandas
from nbmlops.data.fingerprints.encoding import CannotFingerprint, Encoder, Handler
from nbmlops.data.fingerprints.objects import add_reduced
from nbmlops.data.fingerprints.parts import value_digests

if TYPE_CHECKING:
    import pandas as pd


def handler_of(cls: type) -> Handler | None:
    """Returns how values of a pandas class are encoded; None for those that are ordinary objects."""
    import pandas as pd

    missing = (type(pd.NaT), type(pd.NA))
    scalars = (pd.Timestamp, pd.Timedelta, pd.Period, pd.Interval, pd.tseries.offsets.BaseOffset)
    handlers: tuple[tuple[Any, Handler], ...] = (
        (pd.DataFrame, Handler(_add_frame, shared=True)),
        (pd.Series, Handler(_add_series, shared=True)),
        (pd.Index, Handler(_add_index, shared=False)),
        (pd.api.extensions.ExtensionArray, Handler(_add_extension_array, shared=True)),
        (missing, Handler(_add_missing, shared=False)),
        ((*scalars, pd.api.extensions.ExtensionDtype), Handler(add_reduced, shared=False)),
    )
    return next((handler for base, handler in handlers if issubclass(cls, base)), None)


def _add_missing(encoder: Encoder, value: Any) -> None:
    """Adds NA or NaT as pandas 3 reduces them; pandas 2 has other names for their parts."""
    encoder.text(b"object", f"pandas.api.typing.{type(value).__name__}")
    if type(value).__name__ == "NAType":
        encoder.text(b"global", "pandas:NA")
        return
    encoder.text(b"name", "pandas._libs.tslibs.nattype:_nat_unpickle")
    encoder.token(b"arguments")
    encoder.add_items((None,))


class FrameDigests(Struct, frozen=True):
    """The digests of a frame's parts, each 16 bytes, columns by position."""

    columns: tuple[bytes, ...]
    index: bytes
    header: bytes


def frame_digests(encoder: Encoder, frame: pd.DataFrame) -> FrameDigests:
    """Returns the digests of the parts of a frame.

    Raises:
        CannotFingerprint: a cell has no content that could be digested; the column is named.
    """
    digests = []
    for label, series in frame.items():
        try:
            digests.append(_column_digest(encoder, series.array))
        except CannotFingerprint as refusal:
            raise refusal.within(f"[{label!r:.60}]") from refusal.__cause__
    header = encoder.part()
    header.add(list(frame.columns.names))
    header.add_items(list(frame.columns))
    return FrameDigests(tuple(digests), _index_digest(encoder, frame.index), header.digest())


def add_frame_digests(encoder: Encoder, frame: pd.DataFrame, digests: FrameDigests) -> None:
    """Adds a frame of which the parts were digested before."""
    encoder.text(b"frame", encoder.class_name(type(frame)))
    encoder.size(b"shape", *frame.shape)
    encoder.token(b"header", digests.header)
    encoder.token(b"index", digests.index)
    encoder.token(b"columns", b"".join(digests.columns))
    _add_metadata(encoder, frame)


def add_schema(encoder: Encoder, frame: pd.DataFrame) -> None:
    """Adds what a frame is beside its values: class, names, types, categories, names and types of the index."""
    import pandas as pd

    encoder.text(b"schema", encoder.class_name(type(frame)))
    encoder.add_items(list(frame.columns.names))
    encoder.add_items(list(frame.columns))
    for position in range(frame.shape[1]):
        _add_type(encoder, frame.iloc[:, position].array)
    encoder.add_items(list(frame.index.names))
    for level in range(frame.index.nlevels):
        # The labels of a RangeIndex come into being when they are asked for.
        labels = frame.index.get_level_values(level)
        _add_type(encoder, labels if isinstance(labels, pd.RangeIndex) else labels.array)


def _add_type(encoder: Encoder, array: Any) -> None:
    import pandas as pd

    encoder.text(b"column", column_type(array.dtype))
    if isinstance(array.dtype, pd.CategoricalDtype):
        encoder.token(b"categories", _column_digest(encoder, array.categories.array))


def column_readers(frame: pd.DataFrame, exact: DigestOf) -> list[Reader]:
    """Returns how the cells of each column are read."""
    return [reader_of_pandas(frame.iloc[:, position].array, exact) for position in range(frame.shape[1])]


def index_values(index: pd.Index[Any], exact: DigestOf) -> str:
    """Returns the digest of the labels of the rows by value: neither names nor types count."""
    readers = [_label_reader(index.get_level_values(level), exact) for level in range(index.nlevels)]
    return value_digests(readers, len(index)).data


def _label_reader(labels: pd.Index[Any], exact: DigestOf) -> Reader:
    import numpy as np
    import pandas as pd

    if not isinstance(labels, pd.RangeIndex):
        return reader_of_pandas(labels.array, exact)
    # Its labels exist as numbers only where they are asked for.
    return lambda first, end: of_numpy(np.arange(first, end) * labels.step + labels.start, exact)


def _add_frame(encoder: Encoder, frame: pd.DataFrame) -> None:
    add_frame_digests(encoder, frame, frame_digests(encoder, frame))


def _add_metadata(encoder: Encoder, value: Any) -> None:
    # What a subclass such as geopandas' declares to be carried along, beside the data.
    for attribute in getattr(value, "_metadata", ()):
        if attribute != "_name":
            encoder.text(b"metadata", attribute)
            encoder.add(getattr(value, attribute, None))


def _add_series(encoder: Encoder, series: pd.Series[Any]) -> None:
    encoder.text(b"series", encoder.class_name(type(series)))
    encoder.add(series.name)
    encoder.token(b"index", _index_digest(encoder, series.index))
    encoder.token(b"column", _column_digest(encoder, series.array))
    _add_metadata(encoder, series)


def _add_index(encoder: Encoder, index: pd.Index[Any]) -> None:
    encoder.token(b"index", _index_digest(encoder, index))


def _add_extension_array(encoder: Encoder, array: Any) -> None:
    encoder.token(b"extension array", _column_digest(encoder, array))


def _index_digest(encoder: Encoder, index: pd.Index[Any]) -> bytes:
    import pandas as pd

    part = encoder.part(ordered=False)
    part.add_items(list(index.names))
    if isinstance(index, pd.MultiIndex):
        for level in range(index.nlevels):
            part.token(b"level", _column_digest(encoder, index.get_level_values(level).array))
        return part.digest()
    steps = _steps(index)
    if steps is not None:
        part.size(b"steps", *steps)
    else:
        part.token(b"labels", _column_digest(encoder, index.array))
    return part.digest()


def _steps(index: pd.Index[Any]) -> tuple[int, int, int] | None:
    """Returns (start, step, length) of an int64 index of equal steps, None for every other index."""
    import numpy as np
    import pandas as pd

    length = len(index)
    if isinstance(index, pd.RangeIndex):
        start, step = index.start, index.step
    elif index.dtype == np.dtype("int64"):
        values = index.to_numpy()
        start = int(values[0]) if length else 0
        step = int(values[1]) - start if length > 1 else 1
        if length and int(values[-1]) != start + step * (length - 1):
            return None
        if length > 2 and (step == 0 or not bool((np.diff(values) == step).all())):
            return None
    else:
        return None
    return (start if length else 0, step if length > 1 else 1, length)


def _column_digest(encoder: Encoder, array: Any) -> bytes:
    part = encoder.part(ordered=False)
    _add_column(part, array)
    return part.digest()


def _add_column(encoder: Encoder, array: Any) -> None:
    """Adds the dtype and the content of a one-dimensional pandas array."""
    import pandas as pd

    dtype = array.dtype
    encoder.text(b"column", column_type(dtype))
    encoder.size(b"rows", len(array))
    if isinstance(dtype, pd.CategoricalDtype):
        _add_column(encoder, array.categories.array)
        add_elements(encoder, array.codes)
    elif isinstance(dtype, pd.StringDtype | pd.ArrowDtype):
        _add_strings_or_arrow(encoder, array)
    elif isinstance(dtype, pd.SparseDtype):
        add_elements(encoder, array.sp_values)
        add_elements(encoder, array.sp_index.to_int_index().indices)
    elif isinstance(dtype, pd.DatetimeTZDtype | pd.PeriodDtype) or dtype.kind in "mM":
        add_elements(encoder, array.view("i8"))
    elif isinstance(dtype, pd.IntervalDtype):
        _add_column(encoder, array.left.array)
        _add_column(encoder, array.right.array)
    elif isinstance(array, pd.arrays.NumpyExtensionArray):
        add_elements(encoder, array.to_numpy())
    elif isinstance(array, pd.arrays.BooleanArray | pd.arrays.IntegerArray | pd.arrays.FloatingArray):
        _add_masked(encoder, array)
    else:
        add_reduced(encoder, array)  # of another library: only its own state says everything


def _add_masked(encoder: Encoder, array: Any) -> None:
    dtype = array.dtype.numpy_dtype
    pieces = [array[at : at + PIECE_ROWS] for at in range(0, len(array), PIECE_ROWS)]
    if any(piece.isna().any() for piece in pieces):
        add_validity(encoder, len(array), (~piece.isna() for piece in pieces))
    add_numbers(encoder, dtype, len(array), (piece.to_numpy(dtype=dtype, na_value=0) for piece in pieces))


def _add_strings_or_arrow(encoder: Encoder, array: Any) -> None:
    import pyarrow as pa

    try:
        # Strings of either storage: large_string holds any amount of text.
        column = pa.array(array, type=pa.large_string() if array.dtype.name in {"str", "string"} else None)
    except UnicodeEncodeError:
        encoder.add_items(array.astype(object).tolist())  # lone surrogates exist only in Python's strings
        return
    add_arrow(encoder, column)


def column_type(dtype: Any) -> str:
    """Returns a dtype as text, with all that distinguishes it from others but where strings are stored."""
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        return f"category, ordered={bool(dtype.ordered)}"
    if isinstance(dtype, pd.StringDtype):
        return f"string, missing={dtype.na_value!r}"
    if isinstance(dtype, pd.ArrowDtype):
        return f"arrow {dtype.pyarrow_dtype}"
    if isinstance(dtype, pd.DatetimeTZDtype):
        return f"datetime64[{dtype.unit}, {_zone(dtype.tz)}]"
    if isinstance(dtype, pd.SparseDtype):
        return f"sparse {dtype.subtype} {dtype.fill_value!r}"
    return str(dtype)


def _zone(zone: dt.tzinfo) -> str:
    """Returns a time zone's name or its fixed offset, whichever library made it."""
    offset = zone.utcoffset(None)
    return str(zone) if offset is None else f"{offset.total_seconds():+.0f} s"
