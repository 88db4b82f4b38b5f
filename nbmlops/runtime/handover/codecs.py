"""Values <-> bytes, by type: Arrow IPC, `.npy`, JSON, and pickle where nothing else restores the value exactly.

A codec is claimed only where decoding gives back the same type and content; reading the first three runs no code.
Pickles are read from our own store only, after their digest was checked.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from nbmlops.runtime.handover import frames, pickling, plain_text
from nbmlops.runtime.handover.sharing import Walk
from nbmlops.runtime.store.stored import Codec

if TYPE_CHECKING:
    from nbmlops.runtime.store.store import ObjectRef, Store

_READ_ONLY = b"r"  # behind the elements of an array that must not be written; readers of the format do not look there
_NPY_HEADER = 12  # magic string, version 2.0 and the length of what follows
_MAX_JSON_OBJECTS = 100_000  # beyond, pickle is several times faster
_MAX_JSON_LETTERS = 1 << 20  # beyond, JSON would need the memory several times over


class Encoded(Struct, frozen=True):
    """The stored form of a value and its bytes, in parts."""

    codec: Codec
    parts: Sequence[bytes | memoryview]


def encode(value: object, walk: Walk, indexes: Mapping[int, str] | None = None) -> Encoded:
    """Returns the stored form of one value; its parts are views of the value's memory where that is possible.

    Args:
        value: Any value.
        walk: The walk over it.
        indexes: Token of each pandas index that other values may hold, too, by identity; not those of a frame, series
            or index by itself.

    Raises:
        CannotStore: it cannot be stored; the text says why.
    """
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if walk.has_gaps:
        pass  # of all forms only the pickle keeps the layout
    elif pandas is not None and type(value) in {pandas.DataFrame, pandas.Series} and not walk.repeated:
        parts = frames.encode(value)  # type: ignore[arg-type]  # just checked, but by a lazy module
        if parts is not None:
            return Encoded(Codec.ARROW, parts)
    elif numpy is not None and type(value) is numpy.ndarray and _plain_array(value):
        return Encoded(Codec.NPY, _array_parts(value))
    elif not walk.repeated and walk.visited <= _MAX_JSON_OBJECTS and walk.letters <= _MAX_JSON_LETTERS:
        try:
            return Encoded(Codec.JSON, [plain_text.to_text(value).encode()])
        except plain_text.NotPlain:
            pass  # the pickle below says it exactly
    return Encoded(Codec.PICKLE, pickling.dumps(value, [walk], indexes))


def encode_bundle(
    values: Mapping[str, object], walks: Mapping[str, Walk], indexes: Mapping[int, str] | None = None
) -> Encoded:
    """Returns the stored form of several values that share objects, which they share again when decoded.

    Args:
        values: Name -> value.
        walks: Name -> walk over it.
        indexes: Token of each pandas index that other values may hold, too, by identity.

    Raises:
        CannotStore: something in them cannot be stored.
    """
    return Encoded(Codec.BUNDLE, pickling.dumps(dict(values), [walks[name] for name in values], indexes))


def decode(codec: Codec, ref: ObjectRef, store: Store, take: pickling.TakeIndex | None = None) -> Any:
    """Returns the value, or for a bundle the mapping of names to values.

    Args:
        codec: Its stored form.
        ref: Where its bytes are.
        store: The store.
        take: Tells which indexes are alive already; None if none is.

    Raises:
        DamagedObject: the stored bytes are missing or changed; nothing was loaded.
    """
    match codec:
        case Codec.ARROW:
            return frames.decode(store.open_private(ref))
        case Codec.NPY:
            return _array(store.open_private(ref))
        case Codec.JSON:
            return plain_text.from_text(store.read(ref).decode())
        case Codec.PICKLE | Codec.BUNDLE:
            return pickling.load(store.open_once(ref), take)


def _plain_array(array: Any) -> bool:
    return not array.dtype.hasobject and array.dtype.metadata is None


def _array_parts(array: Any) -> list[bytes | memoryview]:
    import numpy as np

    header = io.BytesIO()
    np.lib.format.write_array_header_2_0(header, np.lib.format.header_data_from_array_1_0(array))
    is_f = array.flags.f_contiguous and not array.flags.c_contiguous
    flat = np.ascontiguousarray(array.T if is_f else array).reshape(-1)
    data = flat.view(np.uint8) if flat.size and flat.itemsize else np.empty(0, np.uint8)
    return [header.getvalue(), data.data, b"" if array.flags.writeable else _READ_ONLY]


def _array(data: memoryview) -> Any:
    import numpy as np

    # NumPy distrusts long headers, which arrays of many fields have; the digest of ours was checked.
    length = _NPY_HEADER + int.from_bytes(data[_NPY_HEADER - 4 : _NPY_HEADER], "little")
    header = io.BytesIO(bytes(data[:length]))
    np.lib.format.read_magic(header)
    shape, is_f, dtype = np.lib.format.read_array_header_2_0(header, max_header_size=length)
    count = int(np.prod(shape, dtype=np.int64))
    if count == 0 or dtype.itemsize == 0:
        array = np.empty(shape, dtype, order="F" if is_f else "C")
    else:
        flat = np.frombuffer(data, dtype, count, header.tell())
        array = flat.reshape(shape[::-1]).T if is_f else flat.reshape(shape)
    if len(data) > header.tell() + count * dtype.itemsize:
        array.flags.writeable = False
    return array
