"""The 64-bit digests of cells that NumPy or Python holds; `cells_arrow` and `cells_pandas` are for columns of others.

Equal values have equal digests in every storage: integers of any width, floats and truth values; texts, categories
of texts and Python's strings; instants of any unit and zone. Missing is missing, however it is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nbmlops.data.fingerprints import mixing

if TYPE_CHECKING:
    from nbmlops.data.fingerprints.mixing import Cells

Reader = Callable[[int, int], "Cells"]
"""Gives the digests of the rows from the first number up to the second."""
DigestOf = Callable[[object], bytes]
"""Gives the exact digest of any Python value."""

PER_SECOND = {"D": -86_400, "h": -3600, "m": -60, "s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def of_numpy(values: Any, exact: DigestOf) -> Cells:
    """Returns the digests of the elements of a one-dimensional NumPy array."""
    import numpy as np

    dtype = values.dtype
    if dtype.kind in "iub":
        return mixing.of_integers(values)
    if dtype.kind == "f" and dtype.itemsize <= 8:
        return mixing.of_floats(values)
    if dtype.kind == "c" and dtype.itemsize <= 16:
        return mixing.joined(mixing.of_floats(values.real), mixing.of_floats(values.imag))
    unit, count = np.datetime_data(dtype) if dtype.kind in "mM" else ("", 0)
    if unit in PER_SECOND and count == 1:
        seed = mixing.INSTANT if dtype.kind == "M" else mixing.DURATION
        return _times(values.view(np.int64), np.isnat(values), PER_SECOND[unit], seed)
    return of_objects(values.tolist(), exact)


def _times(values: Any, absent: Any, per_second: int, seed: int) -> Cells:
    import numpy as np

    if not absent.any():
        return mixing.of_times(values, per_second, seed)
    cells = mixing.of_times(np.where(absent, 0, values), per_second, seed)
    cells[absent] = mixing.MISSING
    return cells


def of_objects(values: Sequence[Any], exact: DigestOf) -> Cells:
    """Returns the digests of Python values: texts, numbers and missing ones by value, others exactly."""
    import numpy as np

    cells = np.full(len(values), mixing.MISSING, dtype=np.uint64)
    kinds = list(map(type, values))
    for kind in dict.fromkeys(kinds):
        places = [place for place, found in enumerate(kinds) if found is kind]
        cells[places] = _of_kind([values[place] for place in places], kind, exact)
    return cells


def _of_kind(values: list[Any], kind: type, exact: DigestOf) -> Cells:
    """Returns the digests of values of one type."""
    import numpy as np

    simple = _SIMPLE.get(kind)
    if simple is not None:
        return simple(values)
    if kind.__name__ in {"NoneType", "NAType", "NaTType"}:
        return np.full(len(values), mixing.MISSING, dtype=np.uint64)
    if issubclass(kind, np.bool_ | np.number) and not issubclass(kind, np.timedelta64 | np.longdouble | np.clongdouble):
        return of_numpy(np.array(values), exact)
    digests = b"".join(exact(value)[:8] for value in values)
    return mixing.seeded(np.frombuffer(digests, dtype="<u8"), mixing.OTHER)


def _of_strings(values: list[str]) -> Cells:
    return _of_encoded([text.encode("utf-8", "surrogatepass") for text in values], mixing.TEXT)


def _of_bytes(values: list[bytes]) -> Cells:
    return _of_encoded(values, mixing.BYTES)


def _of_floats(values: list[float]) -> Cells:
    import numpy as np

    return mixing.of_floats(np.array(values, dtype=np.float64))


def _of_encoded(texts: list[bytes], seed: int) -> Cells:
    import numpy as np

    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return mixing.of_texts(offsets, b"".join(texts), seed)


def _of_ints(values: list[int]) -> Cells:
    import numpy as np

    try:
        return mixing.of_integers(np.array(values, dtype=np.int64))
    except OverflowError:
        return np.concatenate([_of_int(value) for value in values])


def _of_int(value: int) -> Cells:
    import numpy as np

    if -(2**63) <= value < 2**64:
        return mixing.of_integers(np.array([value], dtype=np.int64 if value < 2**63 else np.uint64))
    as_float = float(value) if abs(value) <= 2**1023 else math.nan
    if as_float == value:
        return mixing.of_floats(np.array([as_float]))
    return mixing.joined(_of_encoded([str(value).encode()], mixing.BYTES), np.array([mixing.LARGE], dtype=np.uint64))


_SIMPLE: dict[type, Callable[[list[Any]], Cells]] = {
    str: _of_strings,
    bytes: _of_bytes,
    float: _of_floats,
    int: _of_ints,
    bool: _of_ints,
}
