"""The 64-bit digests of cells that pandas holds, by the kind of the array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbmlops.data.fingerprints import mixing
from nbmlops.data.fingerprints.cells import DigestOf, Reader, of_numpy, of_objects
from nbmlops.data.fingerprints.cells_arrow import reader_of_arrow

if TYPE_CHECKING:
    from nbmlops.data.fingerprints.mixing import Cells


def reader_of_pandas(array: Any, exact: DigestOf) -> Reader:
    """Returns how the cells of a one-dimensional pandas array are read."""
    import pandas as pd

    dtype = array.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _of_categories(array, exact)
    if isinstance(dtype, pd.ArrowDtype) or (isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"):
        import pyarrow as pa

        return reader_of_arrow(pa.array(array), exact)
    if isinstance(dtype, pd.IntervalDtype):
        left, right = (reader_of_pandas(end.array, exact) for end in (array.left, array.right))
        return lambda start, stop: mixing.joined(left(start, stop), right(start, stop))
    if isinstance(array, pd.arrays.BooleanArray | pd.arrays.IntegerArray | pd.arrays.FloatingArray):
        return lambda start, stop: _of_masked(array[start:stop], exact)
    numbers = _as_numpy(array)
    if numbers is not None:
        return lambda start, stop: of_numpy(numbers[start:stop], exact)
    return lambda start, stop: of_objects(array[start:stop].astype(object).tolist(), exact)


def _of_categories(array: Any, exact: DigestOf) -> Reader:
    import numpy as np

    values, codes = array.categories.array, array.codes
    # The last one is found by the code -1, which means that the value is missing.
    table = np.append(reader_of_pandas(values, exact)(0, len(values)), np.uint64(mixing.MISSING))
    return lambda start, stop: table[codes[start:stop]]


def _as_numpy(array: Any) -> Any:
    """Returns the values as an array of NumPy, copied only if they are sparse; None where there is no such array."""
    import numpy as np
    import pandas as pd

    dtype = array.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return array.view("i8").view(f"M8[{dtype.unit}]")
    if isinstance(dtype, np.dtype) and dtype.kind in "mM":
        return array.view("i8").view(dtype)
    if isinstance(array, pd.arrays.NumpyExtensionArray):
        return array.to_numpy()
    return np.asarray(array) if isinstance(dtype, pd.SparseDtype) else None


def _of_masked(array: Any, exact: DigestOf) -> Cells:
    cells = of_numpy(array.to_numpy(dtype=array.dtype.numpy_dtype, na_value=0), exact)
    absent = array.isna()
    if absent.any():
        cells[absent] = mixing.MISSING
    return cells
