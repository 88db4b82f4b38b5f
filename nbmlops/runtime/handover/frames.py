"""pandas frames and series <-> Arrow IPC files that any Arrow reader opens, restored exactly or not at all.

What Arrow cannot say stands as JSON in the schema's metadata: dtypes, labels, attributes, and how the columns lie in
memory, which decides the last bits of sums. `encode` returns None for frames it does not restore exactly (cells of
dtype object, intervals, several index levels, …); they are pickled.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbmlops.data.fingerprints.fingerprint import fingerprint
from nbmlops.runtime.handover import plain_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

_KEY = b"nbmlops"
_STORED = {"b": "uint8", "m": "int64", "M": "int64"}


class _NotExact(Exception):
    """This frame holds something that the form cannot restore exactly."""


def encode(value: pd.DataFrame | pd.Series[Any]) -> list[memoryview] | None:
    """Returns the parts of the Arrow IPC file of a frame or series, or None if decoding would not give back the same.

    The parts lie in the memory of the value itself: nothing is copied but columns whose cells lie apart.

    Args:
        value: A `DataFrame` or `Series`, not of a subclass.
    """
    try:
        columns = _columns(value)
        batch = _batch(value, columns)
        exact = _is_exact(value, columns, batch)
    except (_NotExact, plain_text.NotPlain, ImportError):
        return None
    return _written(batch) if exact else None


def decode(data: memoryview) -> Any:
    """Returns the frame or series of an Arrow IPC file that `encode` made, its columns on the given memory."""
    import pyarrow as pa

    whole = pa.py_buffer(data)
    batch = pa.ipc.open_file(whole).get_batch(0)
    return _Reader(batch, lambda buffer: data[buffer.address - whole.address :][: buffer.size]).value()


def _is_exact(value: Any, columns: list[Any], batch: pa.RecordBatch) -> bool:
    """Returns whether decoding the batch gives back the very same value.

    The bytes of the cells need not be looked at: they are written from where they lie and read as what they were.
    Looked at is what is made of them, and everything that is said otherwise than by bytes.
    """
    import pandas as pd

    reader = _Reader(batch, memoryview, filled=False)
    again = reader.value()
    return (
        _facts(again) == _facts(value)
        and all(map(_is_same_column, reader.arrays, columns))
        and (isinstance(again.index, pd.RangeIndex) or _is_same_column(again.index.array, value.index.array))
        and (value.ndim == 1 or fingerprint(again.columns) == fingerprint(value.columns))
    )


def _is_same_column(again: Any, column: Any) -> bool:
    """Returns whether a decoded column equals the one that was encoded; their dtypes are known to be equal."""
    import numpy as np
    import pandas as pd

    if isinstance(column, pd.Categorical):
        labels = (again.categories, column.categories)
        return again.codes.dtype == column.codes.dtype and fingerprint(labels[0]) == fingerprint(labels[1])
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return np.array_equal(again.view("i8"), column.view("i8"))
    return len(again) == len(column)


def _columns(value: Any) -> list[Any]:
    return [value.array] if value.ndim == 1 else [value.iloc[:, at].array for at in range(value.shape[1])]


def _batch(value: Any, columns: list[Any]) -> pa.RecordBatch:
    import pyarrow as pa

    arrays: list[Any] = []
    is_series = value.ndim == 1
    meta = {
        "kind": "series" if is_series else "frame",
        "columns": [_array_to_arrow(column, arrays) for column in columns],
        "index": _index_to_plain(value.index, arrays),
        "name": value.name if is_series else None,
        "labels": None if is_series else _labels_to_plain(value.columns),
        "blocks": [] if is_series else _blocks(value),
        "attrs": value.attrs,
        "duplicates": value.flags.allows_duplicate_labels,
    }
    fields = [pa.field(str(number), array.type) for number, array in enumerate(arrays)]
    schema = pa.schema(fields, {_KEY: plain_text.to_text(meta).encode()})
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class _Parts(io.RawIOBase):
    """A file that keeps the parts written to it, instead of copies."""

    def __init__(self) -> None:
        self.parts: list[memoryview] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self.parts.append(memoryview(part))
        return len(self.parts[-1])


def _written(batch: pa.RecordBatch) -> list[memoryview]:
    import pyarrow as pa

    sink = _Parts()
    with pa.PythonFile(sink, mode="w") as stream, pa.ipc.new_file(stream, batch.schema) as file:
        file.write_batch(batch)
    return sink.parts


def _array_to_arrow(array: Any, arrays: list[Any]) -> list[Any]:
    """Returns how to read the column back; its data are appended to `arrays`.

    Raises:
        _NotExact: it is of a dtype that this form does not say.
    """
    import pandas as pd
    import pyarrow as pa

    if isinstance(array, pd.arrays.NumpyExtensionArray):
        array = array.to_numpy()
    dtype = array.dtype
    if isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow":
        stored = pa.array(array)
        arrays.append(stored.combine_chunks() if isinstance(stored, pa.ChunkedArray) else stored)
        return ["string", dtype.na_value is pd.NA]
    if isinstance(dtype, pd.CategoricalDtype):
        codes = _array_to_arrow(pd.array(array.codes, copy=False, dtype=array.codes.dtype), arrays)
        return ["category", codes, _labels_to_plain(dtype.categories), dtype.ordered]
    if isinstance(dtype, pd.DatetimeTZDtype):
        naive = _array_to_arrow(array.tz_convert("UTC").tz_localize(None), arrays)
        return ["zoned", naive, str(dtype)]
    kind = getattr(dtype, "kind", "O") if isinstance(dtype, _numpy_dtype()) else "O"
    if kind not in "biufmM" or not dtype.isnative or dtype.str == "<f2":
        raise _NotExact
    values = _contiguous(array)
    stored_as = _STORED.get(kind, values.dtype.name)
    buffers = [None, pa.py_buffer(values.view(stored_as))]
    arrays.append(pa.Array.from_buffers(pa.type_for_alias(stored_as), len(values), buffers))
    return ["numpy", dtype.str]


def _numpy_dtype() -> type:
    import numpy as np

    return np.dtype


def _contiguous(array: Any) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.ascontiguousarray(np.asarray(array))


def _index_to_plain(index: Any, arrays: list[Any]) -> list[Any]:
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        return _labels_to_plain(index)
    if type(index) not in {pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex} or index.dtype == object:
        raise _NotExact
    return ["column", _array_to_arrow(index.array, arrays), index.name]


def _labels_to_plain(index: Any) -> list[Any]:
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        return ["range", index.start, index.stop, index.step, index.name]
    if type(index) is not pd.Index:
        raise _NotExact
    return ["list", index.tolist(), str(index.dtype), index.name]


def _labels_from_plain(plain: Any) -> Any:
    import pandas as pd

    if plain[0] == "range":
        return pd.RangeIndex(plain[1], plain[2], plain[3], name=plain[4])
    return pd.Index(plain[1], dtype=plain[2], name=plain[3])


def _blocks(frame: Any) -> list[list[Any]]:
    """Returns for each block of the frame the positions of its columns and the order of its cells in memory."""
    import numpy as np

    found: list[list[Any]] = []
    for block in frame._mgr.blocks:  # noqa: SLF001 - pandas tells the layout in no public way, and takes it in one
        values = block.values if isinstance(block.values, np.ndarray) else None
        is_f = values is not None and values.flags.f_contiguous and not values.flags.c_contiguous
        found.append([block.mgr_locs.as_array.tolist(), "F" if is_f else "C"])
    return found


def _frame(arrays: list[Any], meta: Any, index: Any, *, filled: bool) -> Any:
    import numpy as np
    from pandas.api.internals import (  # type: ignore[import-not-found]  # since pandas 3; not in the stubs yet
        create_dataframe_from_blocks,
    )

    made = []
    for positions, order in meta["blocks"]:
        members = [arrays[position] for position in positions]
        block = members[0]
        if isinstance(block, np.ndarray):
            block = block.reshape(1, -1)
            if len(members) > 1:
                block = _stacked(members, order, filled=filled)
        made.append((block, np.array(positions, dtype=np.intp)))
    return create_dataframe_from_blocks(made, index=index, columns=_labels_from_plain(meta["labels"]))


def _stacked(members: list[Any], order: Any, *, filled: bool) -> np.ndarray[Any, Any]:
    """Returns the columns as the rows of one array: without a copy where they lie so in the file already.

    An array that is not to be filled needs no memory before somebody looks into it.
    """
    import numpy as np

    size = members[0].nbytes
    begins = [member.__array_interface__["data"][0] for member in members]
    if order == "C" and size and all(begin == begins[0] + row * size for row, begin in enumerate(begins)):
        shape, strides = (len(members), len(members[0])), (size, members[0].itemsize)
        return np.lib.stride_tricks.as_strided(members[0], shape, strides)
    block = np.empty((len(members), len(members[0])), members[0].dtype, order=order)
    for row, member in enumerate(members if filled else ()):
        block[row] = member
    return block


class _Reader:
    """Makes the frame or series of a batch, on the memory that it was read from.

    Args:
        batch: What `_batch` made.
        view: Gives the memory of a buffer, writable if the value is to be.
        filled: Whether cells count that would have to be copied; else only the form of the value is to be seen.

    Attributes:
        arrays: The columns, once the value was made.
    """

    def __init__(self, batch: pa.RecordBatch, view: Callable[[pa.Buffer], memoryview], *, filled: bool = True) -> None:
        self._batch, self._view, self._filled, self._next = batch, view, filled, 0
        self.arrays: list[Any] = []

    def value(self) -> Any:
        import pandas as pd

        meta: Any = plain_text.from_text(self._batch.schema.metadata[_KEY].decode())
        self.arrays = [self._array(spec) for spec in meta["columns"]]
        index = _labels_from_plain(meta["index"]) if meta["index"][0] != "column" else self._index(meta["index"])
        if meta["kind"] == "series":
            value: Any = pd.Series(self.arrays[0], index=index, name=meta["name"], copy=False)
        else:
            value = _frame(self.arrays, meta, index, filled=self._filled)
        value.attrs = meta["attrs"]
        value.flags.allows_duplicate_labels = meta["duplicates"]
        return value

    def _array(self, spec: Any) -> Any:
        import numpy as np
        import pandas as pd

        kind = spec[0]
        if kind == "category":
            dtype = pd.CategoricalDtype(_labels_from_plain(spec[2]), ordered=spec[3])
            return pd.Categorical.from_codes(self._array(spec[1]), dtype=dtype)
        if kind == "zoned":
            zoned: Any = pd.DatetimeTZDtype.construct_from_string(spec[2])
            return pd.DatetimeIndex(self._array(spec[1])).tz_localize("UTC").tz_convert(zoned.tz).array
        column = self._batch.column(self._next)
        self._next += 1
        if kind == "string":
            strings: Any = pd.StringDtype("pyarrow", na_value=pd.NA if spec[1] else np.nan)
            return strings.__from_arrow__(column)
        buffer = column.buffers()[1]
        if len(column) == 0:
            return np.empty(0, dtype=spec[1])
        return np.frombuffer(self._view(buffer), dtype=spec[1], count=len(column))

    def _index(self, spec: Any) -> Any:
        import pandas as pd

        return pd.Index(self._array(spec[1]), name=spec[2], copy=False)


def _facts(value: Any) -> list[Any]:
    """Returns what must be equal besides the content."""
    facts: list[Any] = [type(value), value.attrs, value.flags.allows_duplicate_labels, _index_facts(value.index)]
    if value.ndim == 1:
        return [*facts, str(value.dtype), value.dtype, value.name, type(value.name)]
    dtypes = [(type(dtype), str(dtype), dtype) for dtype in value.dtypes]
    return [*facts, dtypes, _index_facts(value.columns), sorted(_blocks(value))]


def _index_facts(index: Any) -> list[Any]:
    return [type(index), index.dtype, type(index.dtype), list(index.names), getattr(index, "freq", None)]
