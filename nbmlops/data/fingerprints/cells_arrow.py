"""The 64-bit digests of cells that Arrow holds, in arrays or in chunks, dictionaries and views of texts included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbmlops.data.fingerprints import mixing
from nbmlops.data.fingerprints.arrow import decoded
from nbmlops.data.fingerprints.cells import PER_SECOND, DigestOf, Reader, of_objects

if TYPE_CHECKING:
    from nbmlops.data.fingerprints.mixing import Cells


def of_arrow(column: Any, exact: DigestOf) -> Cells:
    """Returns the digests of the values of an Arrow array or chunked array."""
    import numpy as np

    chunks = [_of_chunk(chunk, exact) for chunk in getattr(column, "chunks", [column]) if len(chunk)]
    return np.concatenate(chunks) if chunks else np.empty(0, dtype=np.uint64)


def _of_chunk(chunk: Any, exact: DigestOf) -> Cells:
    import pyarrow as pa

    kind = chunk.type
    if pa.types.is_dictionary(kind):
        return _of_chunk(decoded(pa.chunked_array([chunk])).combine_chunks(), exact)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        chunk = chunk.cast(pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary())
        kind = chunk.type
    cells = _of_valid(chunk, kind)
    if cells is None:
        return of_objects(chunk.to_pylist(), exact)
    if chunk.null_count:
        cells[chunk.is_null().to_numpy(zero_copy_only=False)] = mixing.MISSING
    return cells


def _of_valid(chunk: Any, kind: Any) -> Cells | None:
    """Returns digests that hold where a value is not null; None for types without numbers, texts or times."""
    import pyarrow as pa

    types = pa.types
    cells: Cells | None = None
    if types.is_boolean(kind):
        cells = mixing.of_integers(chunk.fill_null(False).to_numpy(zero_copy_only=False))
    elif types.is_integer(kind):
        cells = mixing.of_integers(_numbers(chunk, kind))
    elif types.is_floating(kind):
        cells = mixing.of_floats(_numbers(chunk, kind))
    elif types.is_string(kind) or types.is_large_string(kind):
        cells = _of_variable(chunk, types.is_large_string(kind), mixing.TEXT)
    elif types.is_binary(kind) or types.is_large_binary(kind):
        cells = _of_variable(chunk, types.is_large_binary(kind), mixing.BYTES)
    elif types.is_date(kind):
        per_second = PER_SECOND["D"] if types.is_date32(kind) else PER_SECOND["ms"]
        cells = mixing.of_times(_numbers(chunk, kind), per_second, mixing.INSTANT)
    elif types.is_timestamp(kind) or types.is_duration(kind) or types.is_time(kind):
        seeds = {"timestamp": mixing.INSTANT, "duration": mixing.DURATION}
        seed = next((seed for name, seed in seeds.items() if str(kind).startswith(name)), mixing.CLOCK)
        cells = mixing.of_times(_numbers(chunk, kind), PER_SECOND[kind.unit], seed)
    return cells


def _of_variable(chunk: Any, wide: bool, seed: int) -> Cells:
    return mixing.of_texts(_buffer(chunk, 1, "i8" if wide else "i4", 1), chunk.buffers()[2] or b"", seed)


def _buffer(chunk: Any, number: int, dtype: str, more: int = 0) -> Any:
    import numpy as np

    buffer = chunk.buffers()[number]
    if buffer is None:
        return np.zeros(len(chunk) + more, dtype=dtype)
    return np.frombuffer(buffer, dtype=dtype)[chunk.offset : chunk.offset + len(chunk) + more]


def _numbers(chunk: Any, kind: Any) -> Any:
    """Returns the numbers below the values, zero where there is none: what stands there is an accident."""
    import numpy as np

    letter = "f" if str(kind) in {"halffloat", "float16", "float", "double"} else "u" if str(kind)[0] == "u" else "i"
    numbers = _buffer(chunk, 1, f"{letter}{kind.bit_width // 8}")
    if not chunk.null_count:
        return numbers
    return np.where(chunk.is_valid().to_numpy(zero_copy_only=False), numbers, numbers.dtype.type(0))


def reader_of_arrow(column: Any, exact: DigestOf) -> Reader:
    """Returns how the cells of an Arrow array or chunked array are read."""
    return lambda start, stop: of_arrow(column.slice(start, stop - start), exact)
