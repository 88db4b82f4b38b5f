"""The profile of a frame: what each column holds, in a few hundred bytes of plain JSON per column.

Stored with a run's data and with a model version, so that later data can be compared with it without having it.
Deterministic: numbers are rounded to the digits on which machines agree, ties are broken by value. Single people
are not to be found in it: see `nbmlops.data.profiles.identifiers`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nbmlops.core.diagnostics import Json
from nbmlops.data.profiles.identifiers import looks_like_identifier
from nbmlops.data.tables import columns_of

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "nbmlops/profile/1"
MAX_COLUMNS = 200
BINS = 20
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
TOP = 10
MAX_TEXT = 60
_MAX_TIES = 1000
_TRUTH = {"True", "False"}


def profile(frame: Any) -> dict[str, Json]:
    """Returns the summary of a frame by column.

    Every column has `name`, `dtype`, `nulls`. Numbers add `distinct`, `infinite`, `min`, `max`, `mean`, `std`,
    `quantiles` and `histogram` (counts of `BINS` equal bins from min to max); times `distinct`, `min`, `max` and
    `histogram`; columns with values that repeat `distinct` and `top`, the most frequent ones with their counts,
    or `top_left_out` where they look like identifiers.

    Args:
        frame: A frame of pandas or polars, or a table of Arrow.
    """
    columns = list(_columns(frame))
    result: dict[str, Json] = {"schema": SCHEMA, "rows": len(frame), "columns": columns}
    if frame.shape[1] > MAX_COLUMNS:
        result["columns_left_out"] = frame.shape[1] - MAX_COLUMNS
    return result


def bounded(summary: Mapping[str, Json], most_bytes: int) -> dict[str, Json]:
    """Returns a profile that is at most so long as JSON: what says least is left out first, then the last columns."""
    columns: Any = summary.get("columns")
    result = dict(summary)
    if not isinstance(columns, list):
        return result
    for detail in ("top", "quantiles", "histogram"):
        if _size(result) <= most_bytes:
            return result
        columns = [{key: fact for key, fact in column.items() if key != detail} for column in columns]
        result["columns"] = columns
    while columns and _size(result) > most_bytes:
        columns = columns[: len(columns) * 3 // 4]
        result |= {"columns": columns, "columns_left_out": _total(summary) - len(columns)}
    return result


def _total(summary: Mapping[str, Json]) -> int:
    columns, others = summary.get("columns"), summary.get("columns_left_out", 0)
    return (len(columns) if isinstance(columns, list) else 0) + (others if isinstance(others, int) else 0)


def _size(summary: Mapping[str, Json]) -> int:
    return len(json.dumps(summary, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _columns(frame: Any) -> Iterator[Mapping[str, Json]]:
    for name, dtype, series in columns_of(frame, MAX_COLUMNS):
        yield _column(name, dtype, series)


def _column(name: str, dtype_name: str, series: pd.Series[Any]) -> dict[str, Json]:
    from pandas.api import types

    present = series.dropna()
    record: dict[str, Json] = {
        "name": name[:MAX_TEXT],
        "dtype": dtype_name[:MAX_TEXT],
        "nulls": len(series) - len(present),
    }
    dtype = series.dtype
    if types.is_bool_dtype(dtype) or isinstance(dtype, types.CategoricalDtype):
        return record | _texts(present.astype(object) if len(present) else present, name)
    if types.is_integer_dtype(dtype) or types.is_float_dtype(dtype):
        return record | _numbers(present)
    if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return record | _times(present)
    return record | _texts(present, name)


def _numbers(present: pd.Series[Any]) -> dict[str, Json]:
    import numpy as np

    values = present.to_numpy(dtype=_width(present.dtype))
    finite = np.sort(values[np.isfinite(values)])
    record: dict[str, Json] = {"infinite": len(values) - len(finite)}
    if not len(finite):
        return record | {"distinct": 0}
    starts = _starts(finite)
    record["distinct"] = len(starts)
    record |= {"min": _plain(finite[0]), "max": _plain(finite[-1])}
    with np.errstate(over="ignore", invalid="ignore"):
        as_float = finite.astype("float64", copy=False)
        record |= {"mean": _plain(as_float.mean()), "std": _plain(as_float.std())}
        places = [min(len(finite) - 1, int(q * len(finite))) for q in QUANTILES]
        record["quantiles"] = {f"{q:g}": _plain(finite[place]) for q, place in zip(QUANTILES, places, strict=True)}
    record["histogram"] = _histogram(as_float)
    if len(starts) <= BINS:
        counts = np.diff(np.append(starts, len(finite)))
        order = np.argsort(-counts, kind="stable")[:TOP]
        record["top"] = [[_plain(finite[starts[i]]), int(counts[i])] for i in order]
    return record


def _width(dtype: Any) -> str:
    return {"i": "int64", "u": "uint64"}.get(dtype.kind, "float64")


def _starts(ordered: Any) -> Any:
    """Returns where each distinct value of a sorted array begins."""
    import numpy as np

    return np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))


def _histogram(ordered: Any) -> list[Json]:
    """Returns how many of the sorted numbers lie in each of `BINS` equal bins from the first to the last."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.linspace(ordered[0], ordered[-1], BINS + 1)
    if not np.isfinite(edges).all() or edges[0] == edges[-1]:
        return []
    return [int(count) for count in np.diff([0, *np.searchsorted(ordered, edges[1:-1], side="left"), len(ordered)])]


def _times(present: pd.Series[Any]) -> dict[str, Json]:
    import numpy as np

    if not len(present):
        return {"distinct": 0}
    unit = "datetime64[us]" if present.dtype.kind == "M" else "timedelta64[us]"
    ordered = np.sort(present.to_numpy(dtype=unit).view("i8"))
    low, high = present.min(), present.max()
    return {
        "distinct": len(_starts(ordered)),
        "min": low.isoformat(),
        "max": high.isoformat(),
        "histogram": _histogram(ordered.astype("float64")),
    }


def _texts(present: pd.Series[Any], name: str) -> dict[str, Json]:
    if present.dtype == object or _is_nested(present.dtype):
        kinds = set(map(type, present))
        if not kinds <= {str, bool, int, float}:  # others may have no hash, or print their address
            return {"types": sorted(kind.__name__ for kind in kinds)[:TOP]}
    counts = present.value_counts()
    counts = counts[counts > 0]
    record: dict[str, Json] = {"distinct": len(counts)}
    if not len(counts) or counts.iloc[0] == 1:
        return record
    if looks_like_identifier(name, len(counts), len(present), map(str, counts.index[:TOP])):
        return record | {"top_left_out": "identifiers"}
    least = counts.iloc[min(TOP, len(counts)) - 1]
    frequent = counts[counts >= least]
    if len(frequent) > _MAX_TIES:
        frequent = counts[counts > least]
    pairs = sorted(
        ((int(count), str(value)) for value, count in frequent.items()), key=lambda pair: (-pair[0], pair[1])
    )
    return record | {"top": [[text[:MAX_TEXT], count] for count, text in pairs[:TOP] if count > 1 or text in _TRUTH]}


def _is_nested(dtype: Any) -> bool:
    import pandas as pd
    import pyarrow as pa

    return isinstance(dtype, pd.ArrowDtype) and pa.types.is_nested(dtype.pyarrow_dtype)


def _plain(number: Any) -> Json:
    """Returns a number as JSON has it: integers exactly, others with 12 digits, None where it is not finite."""
    if isinstance(number.item(), int):
        return int(number)
    return float(f"{number:.12g}") if math.isfinite(number) else None
