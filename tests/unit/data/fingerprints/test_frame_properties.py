"""What holds for any frame: what leaves its fingerprint alone, and what changes it, whoever computes it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nbmlops.data.fingerprints.fingerprint import fingerprint, fingerprint_frame
from nbmlops.data.fingerprints.parts import kinds_of_change

cells = {
    "int64": st.integers(-(2**62), 2**62),
    "float64": st.floats(),
    "float32": st.floats(width=32),
    "str": st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.none(),
    "bool": st.booleans(),
    "Int64": st.integers(-100, 100) | st.none(),
    "boolean": st.booleans() | st.none(),
    "datetime64[us]": st.datetimes(pd.Timestamp("1900"), pd.Timestamp("2100")) | st.none(),
    "object": st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
    | st.binary(max_size=3),
}  # fmt: skip
OTHER_TYPE = {
    "int64": "float64", "float64": "Float64", "float32": "float64", "str": "object", "bool": "boolean",
    "Int64": "object", "boolean": "object", "datetime64[us]": "datetime64[ns]", "object": "category",
}  # fmt: skip


@st.composite
def frames(draw: st.DrawFn, *, of_objects: bool = True) -> pd.DataFrame:
    rows = draw(st.integers(1, 30))
    kinds = sorted(cells.keys() - (set() if of_objects else {"object"}))
    dtypes = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5))
    columns = [
        pd.Series(draw(st.lists(cells[dtype], min_size=rows, max_size=rows)), dtype=dtype, name=f"c{number}")
        for number, dtype in enumerate(dtypes)
    ]
    return pd.concat(columns, axis=1)


def same(frame: pd.DataFrame, cut: int) -> Iterator[pd.DataFrame]:
    """Yields frames that are equal to it in all that counts."""
    yield frame.copy(deep=True)
    yield pd.concat([frame[name].copy() for name in frame.columns], axis=1)
    yield pd.concat([frame.iloc[:cut], frame.iloc[cut:]]) if 0 < cut < len(frame) else frame
    yield pd.concat([frame.iloc[:cut], frame], ignore_index=True).iloc[min(cut, len(frame)) :].reset_index(drop=True)
    yield frame.set_axis(pd.Index(np.arange(len(frame))))
    yield frame.iloc[np.repeat(np.arange(len(frame)), 2)].iloc[::2]


@settings(max_examples=25)
@given(frame=frames(), cut=st.integers(0, 30))
def test_copies_blocks_chunks_slices_and_the_class_of_the_index_do_not_count(frame: pd.DataFrame, cut: int) -> None:
    assert {fingerprint(other) for other in same(frame, cut)} == {fingerprint(frame)}


@settings(max_examples=20)
@given(frame=frames(of_objects=False))
def test_a_parquet_round_trip_does_not_count(frame: pd.DataFrame) -> None:
    stream = io.BytesIO()
    frame.to_parquet(stream)
    stream.seek(0)
    assert fingerprint(pd.read_parquet(stream)) == fingerprint(frame)


@settings(max_examples=25)
@given(frame=frames(of_objects=False), cut=st.integers(0, 30))
def test_chunks_and_slices_of_arrow_do_not_count(frame: pd.DataFrame, cut: int) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    cut = min(cut, len(frame))
    chunked = pa.concat_tables([table[:cut], table[cut:]])
    sliced = pa.concat_tables([table[:cut], table]).combine_chunks()[cut:]
    assert {fingerprint(chunked), fingerprint(sliced)} == {fingerprint(table)}
    assert fingerprint_frame(chunked) == fingerprint_frame(table)
    assert fingerprint_frame(table).parts.data == fingerprint_frame(frame).parts.data


@settings(max_examples=40)
@given(frame=frames(), data=st.data())
def test_types_names_and_orders_count(frame: pd.DataFrame, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(frame.columns)))
    dtype = frame[name].dtype.name
    digests = [fingerprint(frame), fingerprint(frame.rename(columns={name: "other"})), fingerprint(frame.iloc[:-1])]
    unhashable = dtype == "object" and any(isinstance(cell, list) for cell in frame[name])
    if not unhashable:
        digests.append(fingerprint(frame.astype({name: OTHER_TYPE[dtype]})))
    if frame.shape[1] > 1:
        digests.append(fingerprint(frame[frame.columns[::-1]]))
    assert len(set(digests)) == len(digests)


@settings(max_examples=25)
@given(frame=frames(), data=st.data())
def test_the_order_of_rows_counts_unless_they_are_equal(frame: pd.DataFrame, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(frame))))
    moved = frame.iloc[list(order)].reset_index(drop=True)
    rows = [[fingerprint(frame.iloc[[place], [column]].reset_index(drop=True)) for column in range(frame.shape[1])]
            for place in range(len(frame))]  # fmt: skip
    assume(len(frame) > 1)
    assert (fingerprint(moved) == fingerprint(frame)) is ([rows[place] for place in order] == rows)
    assert fingerprint_frame(moved).parts.any_order == fingerprint_frame(frame).parts.any_order


LOSSLESS = {
    "int64": "Int64", "float64": "Float64", "float32": "float64", "str": "object", "bool": "boolean", "Int64": "object",
    "boolean": "object", "datetime64[us]": "datetime64[ns]",
}  # fmt: skip
LIBRARIES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda frame: frame,
    "Arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "polars": pl.from_pandas,
}


def kinds(before: Any, after: Any) -> tuple[str, ...]:
    found = [fingerprint_frame(frame) for frame in (before, after)]
    old, new = ({"digest": one.digest, **one.parts.to_json()} for one in found)
    return kinds_of_change(old, new)


@settings(max_examples=40, deadline=None)
@given(frame=frames(of_objects=False), data=st.data())
def test_a_change_of_a_cell_is_one_of_data_alone_in_every_library(frame: pd.DataFrame, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(frame) - 1))
    name = data.draw(st.sampled_from(list(frame.columns)))
    series = frame[name].copy()
    series.iloc[row] = data.draw(cells[series.dtype.name])
    before, after = frame[name].iloc[row], series.iloc[row]
    missing = pd.isna([before, after])
    is_equal = bool(missing.all() if missing.any() else before == after)
    is_same = is_equal and (missing.all() or str(before) == str(after))  # 0.0 and -0.0 are equal, and not the same
    wanted = () if is_same else ("storage",) if is_equal else ("data",)
    changed = frame.assign(**{name: series})
    assert {
        library: kinds(convert(frame), convert(changed)) for library, convert in LIBRARIES.items()
    } == dict.fromkeys(LIBRARIES, wanted)


@settings(max_examples=40, deadline=None)
@given(frame=frames(of_objects=False), data=st.data())
def test_a_change_of_a_type_or_name_is_one_of_the_schema_alone(frame: pd.DataFrame, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(frame.columns)))
    dtype = LOSSLESS[frame[name].dtype.name]
    assert kinds(frame, frame.astype({name: dtype})) == ("schema",)
    assert kinds(frame, frame.rename(columns={name: "other"})) == ("schema",)


@settings(max_examples=40, deadline=None)
@given(frame=frames(), data=st.data())
def test_another_order_of_rows_is_told_as_that(frame: pd.DataFrame, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(frame))))
    moved = frame.iloc[list(order)].reset_index(drop=True)
    assert kinds(frame, moved) in {(), ("order",), ("storage",)}
    assert kinds(frame, pd.concat([frame, frame.iloc[[0]]], ignore_index=True)) == ("index", "data")


SCRIPT = """\
import json, sys
import numpy as np, pandas as pd, pyarrow as pa
from nbmlops.data.fingerprints.fingerprint import fingerprint_frame
frame = pd.DataFrame({
    "o": [{"a", "b", "c"}, {"x": 1, "y": 2}, None], "s": ["a", None, "b"], "c": pd.Categorical(["u", "v", "u"]),
    "t": pd.date_range("2024", periods=3, tz="Europe/Paris"), "f": [1.5, np.nan, -0.0],
})
found = [fingerprint_frame(value) for value in (frame, pa.table({"a": [1, None], "b": ["x", "y"]}))]
print(json.dumps([hash("a"), *([one.digest, one.parts.to_json(), one.columns, one.values] for one in found)]))
"""


def test_the_process_does_not_count() -> None:
    found = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", SCRIPT],
                env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for seed in ("1", "2")
    ]
    assert found[0][0] != found[1][0]
    assert found[0][1:] == found[1][1:]


def test_ten_thousand_columns() -> None:
    wide = pd.DataFrame(np.arange(30_000.0).reshape(3, 10_000))
    found = fingerprint_frame(wide)
    assert found.digest == fingerprint(wide.copy())
    assert len(found.columns) == 10_000
    changed = wide.copy()
    changed.iloc[2, 9_999] = -1
    after = fingerprint_frame(changed)
    assert [place for place in range(10_000) if found.columns[place] != after.columns[place]] == [9_999]
    assert after.parts.schema == found.parts.schema
    assert after.parts.data != found.parts.data


@pytest.mark.skipif(not os.environ.get("NBMLOPS_SOAK"), reason="a long test: make soak")
def test_two_gigabytes_take_no_memory_of_their_own() -> None:
    script = (
        "import resource, numpy as np, pandas as pd\n"
        "from nbmlops.data.fingerprints.fingerprint import fingerprint, fingerprint_frame\n"
        "frame = pd.DataFrame({f'c{n}': np.arange(25_000_000, dtype='f8') + n for n in range(10)}, copy=False)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "fingerprint(frame), fingerprint_frame(frame)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert float(result.stdout) < 64


def test_no_row_of_a_million_is_left_out() -> None:
    rows = 1_000_000
    numbers = np.random.default_rng(1).integers(0, 1000, rows)
    frame = pd.DataFrame(
        {
            "i": numbers,
            "f": numbers / 7,
            "s": np.where(numbers > 500, "late", "early"),
            "b": numbers > 500,
            "t": pd.Timestamp("2024-01-01") + pd.to_timedelta(numbers, unit="s"),
            "c": pd.Categorical(np.where(numbers % 2, "y", "x")),
        }
    )
    others = {"i": -1, "f": -1.0, "s": "other", "t": pd.Timestamp("1999-01-01")}
    found = {fingerprint(frame)}
    for row in (5, 500_000, rows - 1):
        for name in frame.columns:
            series = frame[name].copy()
            now = series.iloc[row]
            series.iloc[row] = others.get(name, not now if name == "b" else "y" if now == "x" else "x")
            found.add(fingerprint(frame.assign(**{name: series})))
    order = np.arange(rows)
    place = 500_000 + int(np.argmax(numbers[500_000:-1] != numbers[500_001:]))  # two rows that differ
    order[[place, place + 1]] = place + 1, place
    found.add(fingerprint(frame.iloc[order].reset_index(drop=True)))
    assert len(found) == 1 + 3 * 6 + 1
    assert fingerprint(pd.concat([frame[:400_000], frame[400_000:]])) == fingerprint(frame)
