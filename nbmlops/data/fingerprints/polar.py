"""polars values as canonical bytes, by way of Arrow, but a kind of their own: a polars frame is not an Arrow table.

What counts: the class, names, types, values and which are missing. What does not: chunks, slices, where texts are
stored, in which order a categorical met its categories.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbmlops.data.fingerprints.arrow import add_arrow
from nbmlops.data.fingerprints.cells import DigestOf, Reader, of_objects
from nbmlops.data.fingerprints.cells_arrow import reader_of_arrow
from nbmlops.data.fingerprints.encoding import CannotFingerprint, Encoder, Handler


def handler_of(cls: type) -> Handler | None:
    """Returns how frames and series of polars are encoded; None for its other classes."""
    import polars as pl

    if issubclass(cls, pl.DataFrame):
        return Handler(_add_frame, shared=True)
    if issubclass(cls, pl.Series):
        return Handler(_add_series, shared=True)
    if issubclass(cls, pl.LazyFrame):
        return Handler(_refuse_lazy, shared=False)
    return None


def column_digests(encoder: Encoder, frame: Any) -> tuple[bytes, ...]:
    """Returns the digest of each column of a frame: its type and values, not its name.

    Raises:
        CannotFingerprint: a cell has no content that could be digested; column and row are named.
    """
    return tuple(_digests(encoder, frame))


def add_digests(encoder: Encoder, frame: Any, digests: tuple[bytes, ...]) -> None:
    """Adds a frame of which the columns were digested before."""
    encoder.text(b"polars frame", encoder.class_name(type(frame)))
    encoder.size(b"shape", *frame.shape)
    encoder.add_items(list(frame.columns))
    encoder.token(b"columns", b"".join(digests))


def add_schema(encoder: Encoder, frame: Any) -> None:
    """Adds what a frame is beside its values: class, names and types of the columns."""
    encoder.text(b"schema", encoder.class_name(type(frame)))
    encoder.add_items(list(frame.columns))
    encoder.add_items([str(dtype) for dtype in frame.dtypes])


def column_readers(frame: Any, exact: DigestOf) -> list[Reader]:
    """Returns how the cells of each column are read."""
    return [_reader(series, exact) for series in frame.get_columns()]


def _reader(series: Any, exact: DigestOf) -> Reader:
    import polars as pl

    if series.dtype == pl.Object:
        return lambda start, stop: of_objects(series[start:stop].to_list(), exact)
    return reader_of_arrow(series.to_arrow(compat_level=pl.CompatLevel.newest()), exact)


def _digests(encoder: Encoder, frame: Any) -> Iterator[bytes]:
    for series in frame.get_columns():
        part = encoder.part(ordered=False)
        try:
            _add_column(part, series)
        except CannotFingerprint as refusal:
            raise refusal.within(f"[{series.name!r:.60}]") from refusal.__cause__
        yield part.digest()


def _add_frame(encoder: Encoder, frame: Any) -> None:
    add_digests(encoder, frame, column_digests(encoder, frame))


def _add_series(encoder: Encoder, series: Any) -> None:
    encoder.text(b"polars series", encoder.class_name(type(series)))
    encoder.add(series.name)
    part = encoder.part(ordered=False)
    _add_column(part, series)
    encoder.token(b"column", part.digest())


def _add_column(encoder: Encoder, series: Any) -> None:
    import polars as pl

    encoder.text(b"column", str(series.dtype))
    if series.dtype == pl.Object:
        encoder.add_items(series.to_list())
    else:
        # Of the newest form texts are views, which need no copy; older ones would be copied whole.
        add_arrow(encoder, series.to_arrow(compat_level=pl.CompatLevel.newest()))


def _refuse_lazy(_encoder: Encoder, _frame: Any) -> None:
    raise CannotFingerprint("a lazy frame of polars is a plan, and has no rows yet; take what its .collect() gives")
