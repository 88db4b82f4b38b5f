"""What is true of a value besides its content, and what code can see: the order of a set, `attrs`, how labels are kept.

A fingerprint leaves these out, since they are no data; notebook and pipeline must agree on them all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from nbmlops.data.compare.shown import shown
from nbmlops.data.fingerprints.encoding import CannotFingerprint
from nbmlops.data.fingerprints.fingerprint import fingerprint_for_comparing

WRITEABLE = "writeable"
_DEEPEST = 3
_WIDEST = 1000


def facts_of(value: object, homes: frozenset[str]) -> dict[str, str]:
    """Returns fact -> what is so, for a value and what it holds a few levels down.

    Args:
        value: Any value.
        homes: Top-level modules of the notebook's own code.
    """
    return dict(_facts(value, "", _DEEPEST, homes))


def _facts(value: Any, path: str, depth: int, homes: frozenset[str]) -> Iterator[tuple[str, str]]:
    cls = type(value)
    if issubclass(cls, set | frozenset):
        yield f"{path}order of iteration", _order(value, homes)
    elif cls in {dict, list, tuple} and depth and len(value) <= _WIDEST:
        members = value.items() if cls is dict else enumerate(value)
        for key, item in members:
            yield from _facts(item, f"{path}[{shown(key)}] ", depth - 1, homes)
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and isinstance(value, numpy.ndarray):
        flags = value.flags
        yield f"{path}layout", "columns first" if flags.f_contiguous and not flags.c_contiguous else "rows first"
        yield f"{path}{WRITEABLE}", str(flags.writeable)
    elif pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        yield f"{path}attrs", shown(value.attrs)
        yield f"{path}duplicate labels", str(value.flags.allows_duplicate_labels)
        yield from _index_facts(value.index, f"{path}index ")
        if value.ndim == 2:
            yield from _index_facts(value.columns, f"{path}columns ")
    elif pandas is not None and isinstance(value, pandas.Index):
        yield from _index_facts(value, path)


def _index_facts(index: Any, path: str) -> Iterator[tuple[str, str]]:
    yield f"{path}class", type(index).__name__
    freq = getattr(index, "freqstr", None)
    if freq is not None:
        yield f"{path}frequency", str(freq)


def _order(value: Any, homes: frozenset[str]) -> str:
    try:
        return f"{shown(list(value))} {fingerprint_for_comparing(list(value), homes)[:8]}"
    except CannotFingerprint:
        return shown(list(value))
