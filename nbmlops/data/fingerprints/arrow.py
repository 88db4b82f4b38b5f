"""Arrow arrays as canonical bytes: chunks, offsets of slices, garbage under nulls and full bitmaps leave no trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nbmlops.data.fingerprints.arrays import add_elements, add_numbers
from nbmlops.data.fingerprints.encoding import Encoder, Handler

PIECE_ROWS = 1 << 16
"""How much of a column with missing values is copied at a time; a multiple of eight."""


def handler_of(cls: type) -> Handler | None:
    """Returns how Arrow tables and arrays are encoded; None for other Arrow classes."""
    import pyarrow as pa

    if issubclass(cls, pa.Table | pa.RecordBatch):
        return Handler(_add_table, shared=False)
    if issubclass(cls, pa.Array | pa.ChunkedArray):
        return Handler(_add_value, shared=False)
    return None


def _add_table(encoder: Encoder, table: Any) -> None:
    encoder.size(b"arrow table", table.num_rows, table.num_columns)
    for name, column in zip(table.column_names, table.columns, strict=True):
        encoder.text(b"column", name)
        _add_value(encoder, column)


def add_schema(encoder: Encoder, table: Any) -> None:
    """Adds what a table is beside its values: names and types of the columns."""
    encoder.token(b"schema", b"arrow table")
    encoder.add_items(list(table.column_names))
    encoder.add_items([str(column.type) for column in table.columns])


def _add_value(encoder: Encoder, column: Any) -> None:
    encoder.text(b"arrow", str(column.type))
    add_arrow(encoder, column)


def add_arrow(encoder: Encoder, column: Any) -> None:
    """Adds the content of an Arrow array or chunked array: which values are null, then the values."""
    import pyarrow as pa

    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    kind = chunked.type
    if pa.types.is_dictionary(kind):
        chunked = decoded(chunked)
        kind = chunked.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        chunked = chunked.cast(pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary())
        kind = chunked.type
    encoder.size(b"rows", len(chunked))
    variable = _is_variable(kind)
    plain = _plain_type(kind)
    if not variable and plain is None:
        encoder.add_items(chunked.to_pylist())
        return
    if chunked.null_count:
        _add_with_nulls(encoder, chunked, plain)
    elif variable:
        _add_variable(encoder, [chunk for chunk in chunked.chunks if len(chunk)])
    else:
        add_elements(encoder, _to_numpy(chunked, plain))


def _add_with_nulls(encoder: Encoder, chunked: Any, plain: Any) -> None:
    """Adds a column with zeros or empty texts under its nulls, piece by piece, so that the copies are small."""
    import pyarrow.compute as pc

    starts = range(0, len(chunked), PIECE_ROWS)
    add_validity(encoder, len(chunked), (chunked.slice(at, PIECE_ROWS).is_valid().to_numpy() for at in starts))

    def pieces() -> Iterator[Any]:
        return (_filled(chunked.slice(at, PIECE_ROWS), plain) for at in starts)

    if plain is not None:
        first = _to_numpy(_filled(chunked.slice(0, 0), plain), plain)
        add_numbers(encoder, first.dtype, len(chunked), (_to_numpy(piece, plain) for piece in pieces()))
        return
    parts = (_offsets_and_data(chunk) for piece in pieces() for chunk in piece.chunks if len(chunk))
    encoder.buffer(b"offsets", 8 * (len(chunked) + 1), _rebased(offsets for offsets, _ in parts))
    parts = (_offsets_and_data(chunk) for piece in pieces() for chunk in piece.chunks if len(chunk))
    encoder.buffer(b"data", pc.sum(pc.binary_length(chunked)).as_py() or 0, (data for _, data in parts))


def decoded(chunked: Any) -> Any:
    """Returns a column of a dictionary type as one of the values themselves, views of texts as texts."""
    import pyarrow as pa

    kind = chunked.type.value_type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        kind = pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary()
    # By `take`, since Arrow cannot cast to every type, such as lists.
    chunks = [chunk.dictionary.cast(kind).take(chunk.indices) for chunk in chunked.chunks]
    return pa.chunked_array(chunks, type=kind)


def add_validity(encoder: Encoder, rows: int, valid: Iterable[Any]) -> None:
    """Adds which values of a column are not null, as Arrow's bitmap.

    Args:
        encoder: What it is added to.
        rows: How many values there are.
        valid: Truth values in pieces, each of a multiple of eight rows but the last.
    """
    import numpy as np

    encoder.buffer(b"valid", (rows + 7) // 8, (np.packbits(piece, bitorder="little") for piece in valid))


def _is_variable(kind: Any) -> bool:
    import pyarrow as pa

    types = pa.types
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    )


def _plain_type(kind: Any) -> Any:
    """Returns the number type that holds the same bits, or None for types without one."""
    import pyarrow as pa

    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return kind
    if pa.types.is_temporal(kind) and kind.bit_width in {32, 64} and not pa.types.is_interval(kind):
        return pa.int32() if kind.bit_width == 32 else pa.int64()
    return None


def _filled(chunked: Any, plain: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = chunked.type
    if plain is None:
        empty = "" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else b""
        return pc.fill_null(chunked, pa.scalar(empty, type=kind))
    numbers = pa.chunked_array([chunk.view(plain) for chunk in chunked.chunks], type=plain)
    return pc.fill_null(numbers, pa.scalar(False if pa.types.is_boolean(plain) else 0, type=plain))


def _to_numpy(chunked: Any, plain: Any) -> Any:
    import pyarrow as pa

    if chunked.type != plain:
        chunked = pa.chunked_array([chunk.view(plain) for chunk in chunked.chunks], type=plain)
    return chunked.to_numpy()


def _add_variable(encoder: Encoder, chunks: list[Any]) -> None:
    """Adds texts or bytes: 64-bit offsets that start at 0, then the bytes, whatever the chunks and offset widths."""
    parts = [_offsets_and_data(chunk) for chunk in chunks]
    rows = sum(len(offsets) - 1 for offsets, _ in parts)
    encoder.buffer(b"offsets", 8 * (rows + 1), _rebased([offsets for offsets, _ in parts]))
    encoder.buffer(b"data", sum(len(data) for _, data in parts), (data for _, data in parts))


def _offsets_and_data(chunk: Any) -> tuple[Any, memoryview]:
    import numpy as np
    import pyarrow as pa

    wide = pa.types.is_large_string(chunk.type) or pa.types.is_large_binary(chunk.type)
    _, offsets_buffer, data_buffer = chunk.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64 if wide else np.int32)
    offsets = offsets[chunk.offset : chunk.offset + len(chunk) + 1]
    data = memoryview(data_buffer if data_buffer is not None else b"")
    return offsets, data[int(offsets[0]) : int(offsets[-1])]


def _rebased(offsets_of_chunks: Iterable[Any]) -> Iterator[Any]:
    import numpy as np

    base = 0
    yield np.zeros(1, dtype="<i8")
    for offsets in offsets_of_chunks:
        shift = base - int(offsets[0])
        ends = offsets[1:].astype("<i8", copy=False)
        yield ends if shift == 0 else ends + shift
        base += int(offsets[-1]) - int(offsets[0])
