"""Table a2 of the fingerprint reference: one frame, changes of it that must be noticed, and controls that are none."""

import io
import zoneinfo
from collections.abc import Callable

import numpy as np
import pandas as pd

N = 2_000
MIDDLE = 1_000


def base() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "i": rng.integers(0, 1000, N),
            "f": rng.standard_normal(N),
            "s": rng.choice(["a", "b", "c"], N),
            "n": pd.Series(rng.choice(["a", "b", "c"], N)).mask(rng.random(N) < 0.1),
            "b": rng.random(N) > 0.5,
            "t": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**6, N), unit="s"),
            "z": pd.date_range("2024-01-01", periods=N, freq="h", tz="Europe/Paris"),
            "c": pd.Categorical(rng.choice(["x", "y"], N)),
            "I": pd.array(rng.integers(0, 5, N), dtype="Int64"),
            "o": pd.Series(rng.choice([1, 2], N).tolist(), dtype=object),
        }
    )


BASE = base()


def set_cell(column: str, row: int, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[row, column] = value
        return frame

    return change


def swap_rows(frame: pd.DataFrame) -> pd.DataFrame:
    order = np.arange(N)
    order[[MIDDLE, MIDDLE + 1]] = order[[MIDDLE + 1, MIDDLE]]
    return frame.iloc[order].reset_index(drop=True)


CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "number in the middle": set_cell("f", MIDDLE, 99.0),
    "integer in the middle": set_cell("i", MIDDLE, -1),
    "text in the middle": set_cell("s", MIDDLE, "zz"),
    "text becomes missing": set_cell("s", MIDDLE, None),
    "text of a column with missing ones": set_cell("n", MIDDLE, "zz"),
    "truth value": lambda d: d.assign(b=d.b.mask(d.index == 5, ~d.b)),
    "time": set_cell("t", 5, pd.Timestamp("1999-01-01")),
    "time becomes missing": set_cell("t", 5, pd.NaT),
    "category": lambda d: d.assign(c=d.c.where(d.index != 5, "x" if d.c[5] == "y" else "y")),
    "category becomes missing": set_cell("c", 5, None),
    "number becomes missing": set_cell("f", 5, np.nan),
    "nullable integer": set_cell("I", 5, 77),
    "nullable integer becomes missing": set_cell("I", 5, pd.NA),
    "object cell 1 becomes '1'": set_cell("o", 5, "1"),
    "object cell becomes True": lambda d: d.assign(o=pd.Series([True, *d.o[1:]], dtype=object)),
    "object cell becomes 1.0": lambda d: d.assign(o=pd.Series([float(d.o[0]), *d.o[1:]], dtype=object)),
    "two rows swapped": swap_rows,
    "last row missing": lambda d: d.iloc[:-1],
    "columns in another order": lambda d: d[d.columns[::-1]],
    "column renamed": lambda d: d.rename(columns={"f": "g"}),
    "column missing": lambda d: d.drop(columns="f"),
    "columns named": lambda d: d.rename_axis(columns="columns"),
    "int64 becomes int32": lambda d: d.astype({"i": "int32"}),
    "int64 becomes float64": lambda d: d.astype({"i": "float64"}),
    "int64 becomes nullable": lambda d: d.astype({"i": "Int64"}),
    "bool becomes int8": lambda d: d.astype({"b": "int8"}),
    "str becomes object": lambda d: d.astype({"s": object}),
    "str becomes string": lambda d: d.astype({"s": "string"}),
    "seconds become nanoseconds": lambda d: d.astype({"t": "datetime64[ns]"}),
    "zone differs, same instants": lambda d: d.assign(z=d.z.dt.tz_convert("Europe/Berlin")),
    "zone dropped": lambda d: d.assign(z=d.z.dt.tz_convert(None)),
    "unused category added": lambda d: d.assign(c=d.c.cat.add_categories("zzz")),
    "categories in another order": lambda d: d.assign(c=d.c.cat.reorder_categories(["y", "x"])),
    "categories ordered": lambda d: d.assign(c=d.c.cat.as_ordered()),
    "index shifted": lambda d: d.set_axis(range(1, N + 1)),
    "index with other steps": lambda d: d.set_axis(range(0, 2 * N, 2)),
    "index reversed": lambda d: d.set_axis(range(N - 1, -1, -1)),
    "index of texts": lambda d: d.set_axis(d.index.astype(str)),
    "index of int32": lambda d: d.set_axis(d.index.astype("int32")),
    "index named": lambda d: d.rename_axis("row"),
    "index of two levels": lambda d: d.set_axis(pd.MultiIndex.from_product([[0], range(N)])),
}


def through_parquet(frame: pd.DataFrame) -> pd.DataFrame:
    stream = io.BytesIO()
    frame.to_parquet(stream)
    stream.seek(0)
    return pd.read_parquet(stream)


def read_only(frame: pd.DataFrame) -> pd.DataFrame:
    for column in "if":
        frame[column].array.to_numpy().flags.writeable = False
    return frame


def with_attrs(frame: pd.DataFrame) -> pd.DataFrame:
    frame.attrs["source"] = "x"
    return frame


CONTROLS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "equal copy": lambda d: d,
    "made again": lambda d: base(),
    "other block layout": lambda d: pd.concat([d.iloc[:, :3], d.iloc[:, 3:]], axis=1).copy(),
    "one block per column": lambda d: pd.concat([d[[name]].copy() for name in d], axis=1),
    "parquet round trip": lambda d: through_parquet(d.drop(columns="o")).assign(o=d["o"]),
    "slice of a longer frame": lambda d: pd.concat([d.iloc[:10], d]).iloc[10:].set_axis(range(N)),
    "every second row of a longer frame": lambda d: d.loc[d.index.repeat(2)].iloc[::2],
    "concat of two chunks": lambda d: pd.concat([d.iloc[:401], d.iloc[401:]], ignore_index=True),
    "int64 index equal to the RangeIndex": lambda d: d.set_axis(pd.Index(np.arange(N))),
    "attrs": with_attrs,
    "equal texts, other objects": lambda d: d.assign(s=["".join(list(text)) for text in d.s]),
    "texts stored as Python objects": lambda d: d.astype({"s": pd.StringDtype("python", na_value=np.nan)}),
    "zone made by datetime": lambda d: d.assign(z=d.z.dt.tz_convert(zoneinfo.ZoneInfo("Europe/Paris"))),
    "numbers under nulls": lambda d: d.assign(I=pd.array(d.I.tolist(), dtype="Int64")),
    "read-only columns": read_only,
}
