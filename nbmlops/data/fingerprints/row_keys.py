"""A 64-bit key for each row of a frame, by its values alone: the same row has the same key in every run and storage.

Keys are made of the digests of cells that fingerprints are made of (docs/reference/fingerprint.md, part `any_order`).
Neither names of columns nor the index count. Among a million different rows two share a key with a probability of
3e-8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbmlops.data.fingerprints import mixing
from nbmlops.data.fingerprints.cells import Reader, of_numpy
from nbmlops.data.fingerprints.cells_pandas import reader_of_pandas
from nbmlops.data.fingerprints.fingerprint import fingerprint, is_frame
from nbmlops.data.tables import columns_of

if TYPE_CHECKING:
    from nbmlops.data.fingerprints.mixing import Cells


def row_keys(rows: Any) -> Cells:
    """Returns the key of each row.

    Args:
        rows: A frame of any library, a series, an index, or an array of one or two dimensions.

    Raises:
        CannotFingerprint: a cell has no content that could be digested.
        ValueError: it is nothing with rows.
    """
    import numpy as np

    readers = _readers(rows)
    count = len(rows)
    keys = np.zeros(count, dtype=np.uint64)
    for read in readers:
        keys *= np.uint64(mixing.ODD)
        keys += read(0, count)
    return mixing.seeded(keys, mixing.OTHER)


def _readers(rows: Any) -> Sequence[Reader]:
    if is_frame(rows):
        return [reader_of_pandas(series.array, _exact) for _, _, series in columns_of(rows, rows.shape[1])]
    if hasattr(rows, "array") and hasattr(rows, "iloc"):
        return [reader_of_pandas(rows.array, _exact)]
    import numpy as np

    values = np.asarray(rows)
    if values.ndim not in {1, 2}:
        raise ValueError(f"an array of {values.ndim} dimensions has no rows")
    columns = values.T if values.ndim == 2 else [values]
    return [_reader_of_array(column) for column in columns]


def _reader_of_array(column: Any) -> Reader:
    return lambda start, stop: of_numpy(column[start:stop], _exact)


def _exact(value: object) -> bytes:
    return bytes.fromhex(fingerprint(value, "cell"))
