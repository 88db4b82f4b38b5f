"""Slices of held-out rows: by the values of a column, by intervals of it, and by a condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from nbmlops.core.conditions import Both, Comparison, Condition, Membership, Not, columns_in, parse_condition

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

MOST_SLICES = 500
"""More values than this are no slices that anybody would look at."""
_MOST_NAMES = 10


class CannotSlice(Exception):
    """Rows cannot be cut as a rule wants it; the message says why."""


def rows_where(columns: pd.DataFrame, text: str) -> Array:
    """Returns the places of the rows for which a condition holds; a missing value fulfils none but `!=` and `not`.

    Raises:
        CannotSlice: it names a column that is not there, or compares what cannot be compared.
    """
    import numpy as np

    condition = parse_condition(text)
    for name in columns_in(condition):
        _column(columns, name)
    try:
        holds = _holds(condition, columns)
    except TypeError as error:
        raise CannotSlice(f"`{text}` compares values of different kinds: {error}") from error
    return np.flatnonzero(holds)


def slices_of(columns: pd.DataFrame, by: str, edges: Sequence[float] = ()) -> Iterator[tuple[str, Array]]:
    """Yields a label and the places of the rows for each value of a column, or for each interval between the edges.

    Values stand in their order; rows without a value are a slice of their own. Intervals hold their left end; below the
    first edge and from the last one on there are two more, of which empty ones are left out.

    Raises:
        CannotSlice: there is no such column, it is not made of numbers, or has too many values.
    """
    import numpy as np
    import pandas as pd

    series = _column(columns, by)
    if edges:
        yield from _intervals(series, by, edges)
        return
    codes, values = pd.factorize(series, use_na_sentinel=True)
    if len(values) > MOST_SLICES:
        raise CannotSlice(f"the column {by!r} has {len(values):,} values; give intervals: bins = [...]")
    labels = [f"{by} = {value}" for value in values]
    if len(set(labels)) < len(labels):  # 1 and "1" are two slices
        labels = [f"{by} = {value!r}" for value in values]
    for code in sorted(range(len(values)), key=lambda code: _sort_key(values[code])):
        yield labels[code], np.flatnonzero(codes == code)
    missing = np.flatnonzero(codes == -1)
    if len(missing):
        yield f"{by} is missing", missing


def _intervals(series: Any, by: str, edges: Sequence[float]) -> Iterator[tuple[str, Array]]:
    import numpy as np

    if series.dtype.kind not in "biuf":
        raise CannotSlice(f"the column {by!r} is not made of numbers, so it has no intervals")
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    places = np.digitize(values, edges)
    names = [f"{by} < {edges[0]:g}"]
    names += [f"{low:g} <= {by} < {high:g}" for low, high in pairwise(edges)]
    names.append(f"{by} >= {edges[-1]:g}")
    missing = np.isnan(values)
    for place, name in enumerate(names):
        found = np.flatnonzero((places == place) & ~missing)
        if len(found):
            yield name, found
    if missing.any():
        yield f"{by} is missing", np.flatnonzero(missing)


def _sort_key(value: object) -> tuple[int, float, str]:
    is_number = isinstance(value, int | float) or hasattr(value, "__float__")
    return (0, float(value), "") if is_number else (1, 0.0, str(value))  # type: ignore[arg-type]  # whatever has `__float__`


def _column(columns: pd.DataFrame, name: str) -> Any:
    if name not in columns:
        known = ", ".join(list(columns.columns)[:_MOST_NAMES]) + (", …" if len(columns.columns) > _MOST_NAMES else "")
        raise CannotSlice(f"the predictions have no column {name!r}; recorded: {known or 'none'}")
    return columns[name]


def _holds(condition: Condition, columns: pd.DataFrame) -> Array:
    import numpy as np

    match condition:
        case Comparison(column=column, compare=compare, constant=constant):
            found = compare(columns[column], constant)
            return np.asarray(found.fillna(value=False) if hasattr(found, "fillna") else found, dtype=bool)
        case Membership(column=column, constants=constants):
            return np.asarray(columns[column].isin(list(constants)), dtype=bool)
        case Not(inner=inner):
            opposite: Array = ~_holds(inner, columns)
            return opposite
        case Both(parts=parts, every=every):
            join = np.logical_and if every else np.logical_or
            return reduce(join, [_holds(part, columns) for part in parts])
