"""SciPy's sparse matrices as canonical bytes: the order in which entries are stored, and duplicates, leave no trace.

Nothing is changed in the user's matrix, not even what SciPy remembers of it: entries are sorted and added in a copy,
and only where they are not in order already.
"""

from __future__ import annotations

from typing import Any

from nbmlops.data.fingerprints.arrays import add_elements, dtype_text
from nbmlops.data.fingerprints.encoding import Encoder, Handler

_COMPRESSED = frozenset({"csr", "csc", "bsr"})


def handler_of(cls: type) -> Handler | None:
    """Returns how sparse matrices and arrays are encoded; None for SciPy's other classes."""
    from scipy import sparse

    if issubclass(cls, sparse.sparray | sparse.spmatrix):
        return Handler(_add_sparse, shared=True)
    return None


def _add_sparse(encoder: Encoder, value: Any) -> None:
    encoder.text(b"sparse", encoder.class_name(type(value)))
    encoder.size(b"shape", *value.shape)
    encoder.text(b"entries", dtype_text(value.dtype))
    indices, data = _canonical(value)
    for positions in indices:
        _add_positions(encoder, positions)
    encoder.add(data)


def _canonical(value: Any) -> tuple[tuple[Any, ...], Any]:
    """Returns the arrays of positions and of entries in the canonical order, the matrix's own where they have it."""
    form = value.format
    if form in _COMPRESSED:
        # A second matrix over the same arrays: asking the first one would make it remember the answer.
        looked_at = type(value)((value.data, value.indices, value.indptr), shape=value.shape, copy=False)
        if looked_at.has_canonical_format:
            return (value.indptr, value.indices), value.data
        merged = looked_at.copy()
        merged.sum_duplicates()
        return (merged.indptr, merged.indices), merged.data
    if form == "coo":
        coords, data = _merged(type(value)((value.data, value.coords), shape=value.shape, copy=True))
        in_order = all(map(_equal, coords, value.coords))
        return (tuple(value.coords), value.data) if in_order else (coords, data)
    if form == "dia":
        return _sorted_diagonals(value)
    # lil and dok hold Python objects, whose order follows what was assigned when.
    return _merged(value.tocoo(copy=True))


def _merged(entries: Any) -> tuple[tuple[Any, ...], Any]:
    entries.has_canonical_format = False  # dok says so of any order
    entries.sum_duplicates()
    return tuple(entries.coords), entries.data


def _equal(left: Any, right: Any) -> bool:
    import numpy as np

    return np.array_equal(left, right)


def _sorted_diagonals(value: Any) -> tuple[tuple[Any, ...], Any]:
    """Returns offsets in order, and the diagonals with zeros where they run out of the matrix."""
    import numpy as np

    order = np.argsort(value.offsets, kind="stable")
    offsets = value.offsets[order].astype(np.int64)
    columns = np.arange(value.data.shape[1])
    rows = columns - offsets[:, None]
    inside = (rows >= 0) & (rows < value.shape[0]) & (columns < value.shape[1])
    diagonals = np.where(inside, value.data[order], value.dtype.type(0))
    width = min(diagonals.shape[1], value.shape[1])
    return (offsets,), diagonals[:, :width]


def _add_positions(encoder: Encoder, positions: Any) -> None:
    """Adds positions as 64-bit numbers: SciPy takes 32 or 64 bits by size and history."""
    if not encoder.refer(positions):
        encoder.size(b"positions", *positions.shape)
        add_elements(encoder, positions.astype("<i8", copy=False))
