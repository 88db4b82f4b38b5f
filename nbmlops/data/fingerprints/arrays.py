"""NumPy values as canonical bytes: any stride, order or byte layout gives the digest of the logical content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nbmlops.data.fingerprints.encoding import Encoder, Handler

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

CHUNK_BYTES = 1 << 21


def handler_of(cls: type) -> Handler | None:
    """Returns how values of a NumPy class are encoded; None for those whose pickled state is canonical already."""
    import numpy as np

    if issubclass(cls, np.ma.MaskedArray):
        return Handler(_add_masked, shared=True)
    if issubclass(cls, np.ndarray):
        return Handler(add_array, shared=True)
    if issubclass(cls, np.generic):
        return Handler(_add_scalar, shared=False)
    if issubclass(cls, np.dtype):
        return Handler(lambda encoder, value: encoder.text(b"dtype", dtype_text(value)), shared=False)
    return None


def add_array(encoder: Encoder, value: Array) -> None:
    """Adds an array: class, element type, shape, elements in C order."""
    import numpy as np

    # A memory-mapped array is an array whose bytes happen to live in a file.
    cls = np.ndarray if isinstance(value, np.memmap) else type(value)
    encoder.text(b"array", "" if cls is np.ndarray else encoder.class_name(cls))
    encoder.size(b"shape", *value.shape)
    add_elements(encoder, value.view(np.ndarray))
    if cls is not np.ndarray and getattr(value, "__dict__", None):
        part = encoder.part(ordered=False)
        part.add(vars(value))
        encoder.token(b"attributes", part.digest())


def _add_masked(encoder: Encoder, value: np.ma.MaskedArray[Any, Any]) -> None:
    import numpy as np

    encoder.text(b"array", "numpy.ma.MaskedArray")
    encoder.size(b"shape", *value.shape)
    add_elements(encoder, np.asarray(value.data))
    add_elements(encoder, np.ma.getmaskarray(value))
    add_elements(encoder, np.asarray(value.fill_value, dtype=value.dtype))


def _add_scalar(encoder: Encoder, value: np.generic) -> None:
    import numpy as np

    encoder.token(b"scalar")
    add_elements(encoder, np.asarray(value))


def dtype_text(dtype: np.dtype[Any]) -> str:
    """Returns the exact element type as text, byte order and the fields of a structure included."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return f"{shape}{dtype_text(base)}"
    if dtype.names is None:
        return dtype.str if dtype.kind != "T" else str(dtype)
    fields: Any = dtype.fields
    inner = ",".join(f"{name!r}:{dtype_text(fields[name][0])}@{fields[name][1]}" for name in dtype.names)
    return f"{{{inner}}}{dtype.itemsize}"


def add_elements(encoder: Encoder, array: Array) -> None:
    """Adds element type and elements of an array in C order; NaNs are one NaN, padding bytes are left out."""
    encoder.text(b"dtype", dtype_text(array.dtype))
    if array.dtype.names is not None:
        for name in array.dtype.names:
            add_elements(encoder, array[name])
    elif array.dtype.hasobject or array.dtype.kind == "T":
        encoder.add_items(array.ravel().tolist())
    elif _is_extended(array.dtype):
        length = array.size * array.dtype.itemsize * _X87_BYTES // 16
        encoder.buffer(b"data", length, map(_without_padding, _chunks(array)))
    else:
        _add_plain(encoder, array.dtype, array.size, _chunks(array))


def add_numbers(encoder: Encoder, dtype: np.dtype[Any], size: int, pieces: Iterable[Array]) -> None:
    """Adds numbers that come in pieces, as `add_elements` adds them in one array."""
    encoder.text(b"dtype", dtype_text(dtype))
    _add_plain(encoder, dtype, size, (chunk for piece in pieces for chunk in _chunks(piece)))


def _add_plain(encoder: Encoder, dtype: np.dtype[Any], size: int, chunks: Iterable[Array]) -> None:
    import numpy as np

    if dtype.kind in "fc":
        with np.errstate(all="ignore"):
            encoder.checked_buffer(b"data", size * dtype.itemsize, chunks, _one_nan)
    else:
        encoder.buffer(b"data", size * dtype.itemsize, (chunk.reshape(-1).view(np.uint8) for chunk in chunks))


_X87_BYTES = 10
"""Of the 16 bytes of an x87 `longdouble` 6 are padding, whose content is an accident."""


def _is_extended(dtype: np.dtype[Any]) -> bool:
    import numpy as np

    return dtype.kind in "fc" and dtype.itemsize in (16, 32) and dtype.char in "gG" and np.finfo(dtype).nmant == 63


def _chunks(array: Array) -> Iterator[Array]:
    """Yields the elements in C order, in pieces that stay in the processor's cache, copied only where they must be."""
    import numpy as np

    if array.size == 0:
        return
    if array.flags.c_contiguous or array.ndim == 0:
        array = array.reshape(-1)
    rows = max(1, CHUNK_BYTES * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), rows):
        yield np.ascontiguousarray(array[start : start + rows])


def _without_padding(array: Array) -> bytes:
    import numpy as np

    canonical = _one_nan(array)
    whole = array if canonical is None else canonical
    return whole.reshape(-1).view(np.uint8).reshape(-1, 16)[:, :_X87_BYTES].tobytes()


def _one_nan(array: Array) -> Array | None:
    """Returns the numbers with all NaNs made one, None if there is none."""
    import numpy as np

    # A sum is the cheapest look at all numbers, and one NaN makes it NaN.
    if np.isfinite(array.sum()):
        return None
    parts = array.reshape(-1).view(array.real.dtype)
    missing = np.isnan(parts)
    if not missing.any():
        return None
    parts = parts.copy()
    parts[missing] = np.nan
    return parts
