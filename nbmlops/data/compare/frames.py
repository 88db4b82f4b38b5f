"""What differs between two frames, series or indexes: columns, types, labels, then rows with examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbmlops.data.compare.arrays import unequal
from nbmlops.data.compare.shown import EXAMPLES, both, counted, listed, shown, sides

if TYPE_CHECKING:
    import pandas as pd

_MOST_COLUMNS = 5


def frame_difference(left: pd.DataFrame, right: pd.DataFrame) -> str:
    """Returns what differs between two frames, "" if columns, types, index and cells are the same."""
    found = _columns(left, right) or _types(left, right)
    if found:
        return found
    if len(left) != len(right):
        return _rows(left, right)
    index = index_difference(left.index, right.index)
    if index:
        return f"index: {index}"
    parts = []
    for position, label in enumerate(left.columns):
        text = _cells(left.iloc[:, position], right.iloc[:, position])
        if text:
            parts.append(f"column {shown(label)}: {text}")
    rest = len(parts) - _MOST_COLUMNS
    return "; ".join(parts[:_MOST_COLUMNS]) + (f"; and {counted(rest, 'more column')}" if rest > 0 else "")


def series_difference(left: pd.Series[Any], right: pd.Series[Any]) -> str:
    """Returns what differs between two series, "" if name, type, index and values are the same."""
    if left.dtype != right.dtype:
        return f"type: {sides(str(left.dtype), str(right.dtype))}"
    if len(left) != len(right):
        return f"length: {sides(f'{len(left):,}', f'{len(right):,}')}"
    if type(left.name) is not type(right.name) or left.name != right.name:
        return f"name: {both(left.name, right.name)}"
    index = index_difference(left.index, right.index)
    return f"index: {index}" if index else _cells(left, right)


def index_difference(left: pd.Index[Any], right: pd.Index[Any]) -> str:
    """Returns what differs between two indexes, "" if names, type and labels are the same."""
    if list(left.names) != list(right.names):
        return f"names: {sides(str(list(left.names)), str(list(right.names)))}"
    if left.dtype != right.dtype:
        return f"type: {sides(str(left.dtype), str(right.dtype))}"
    if len(left) != len(right):
        return f"length: {sides(f'{len(left):,}', f'{len(right):,}')}"
    return _cells(left.to_series(), right.to_series(), labels=False)


def _columns(left: pd.DataFrame, right: pd.DataFrame) -> str:
    ours, theirs = list(left.columns), list(right.columns)
    if ours == theirs:
        return ""
    missing = [shown(label) for label in ours if label not in theirs]
    added = [shown(label) for label in theirs if label not in ours]
    parts = [f"missing in the pipeline: {listed(missing)}"] if missing else []
    parts += [f"only in the pipeline: {listed(added)}"] if added else []
    order = sides(listed(list(map(shown, ours))), listed(list(map(shown, theirs))))
    return "columns " + ("; ".join(parts) if parts else f"in another order: {order}")


def _types(left: pd.DataFrame, right: pd.DataFrame) -> str:
    pairs = zip(left.columns, left.dtypes, right.dtypes, strict=True)
    parts = [
        f"column {shown(label)}: type {sides(str(one), str(other))}" for label, one, other in pairs if one != other
    ]
    return listed(parts)


def _rows(left: pd.DataFrame, right: pd.DataFrame) -> str:
    text = f"rows: {sides(f'{len(left):,}', f'{len(right):,}')}"
    if not (left.index.is_unique and right.index.is_unique):
        return text
    missing = [shown(label) for label in left.index.difference(right.index, sort=False)[: EXAMPLES + 1]]
    added = [shown(label) for label in right.index.difference(left.index, sort=False)[: EXAMPLES + 1]]
    text += f"; missing in the pipeline: row {listed(missing)}" if missing else ""
    return text + (f"; only in the pipeline: row {listed(added)}" if added else "")


def _cells(left: pd.Series[Any], right: pd.Series[Any], *, labels: bool = True) -> str:
    """Returns which values of two columns of one type and length differ."""
    import numpy as np

    differs = _unequal(left, right)
    places = np.flatnonzero(differs)
    if not len(places):
        return ""
    parts = []
    for place in places[:EXAMPLES].tolist():
        where = f"row {shown(left.index[place])}" if labels else f"position {place}"
        parts.append(f"{where}: {both(left.iloc[place], right.iloc[place])}")
    return f"{len(places):,} of {counted(len(left), 'row')} differ, {'; '.join(parts)}"


def _unequal(left: pd.Series[Any], right: pd.Series[Any]) -> Any:
    import numpy as np
    import pandas as pd

    if isinstance(left.dtype, np.dtype):
        return unequal(left.to_numpy(), right.to_numpy())
    if isinstance(left.dtype, pd.CategoricalDtype):
        left, right = left.astype(object), right.astype(object)
        return unequal(left.to_numpy(), right.to_numpy())
    both_missing = left.isna().to_numpy() & right.isna().to_numpy()
    one_missing = left.isna().to_numpy() ^ right.isna().to_numpy()
    values = unequal(left.astype(object).to_numpy(), right.astype(object).to_numpy())
    return (values & ~both_missing) | one_missing
