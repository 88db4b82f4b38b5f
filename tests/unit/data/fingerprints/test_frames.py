"""Table a2 of the fingerprint reference: which changes of a frame are noticed, and which are none."""

import datetime as dt
import decimal
import zoneinfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nbmlops.data.fingerprints.fingerprint import CannotFingerprint, fingerprint
from tests.fakes.changed_frames import BASE, CHANGES, CONTROLS, through_parquet


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_noticed(name: str) -> None:
    assert fingerprint(CHANGES[name](BASE.copy(deep=True))) != fingerprint(BASE)


def test_all_changes_differ_from_each_other() -> None:
    digests = [fingerprint(change(BASE.copy(deep=True))) for change in CHANGES.values()]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("name", CONTROLS)
def test_what_is_no_change_is_not_noticed(name: str) -> None:
    assert fingerprint(CONTROLS[name](BASE.copy(deep=True))) == fingerprint(BASE)


def column(values: object, dtype: object = None) -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


def nan(bits: int) -> pd.DataFrame:
    return column(np.array([bits, 0], "u8").view("f8"))


PAIRS = {
    "0.0 and -0.0": (column([0.0, 1.0]), column([-0.0, 1.0])),
    "None and NaN in objects": (column(["a", None], object), column(["a", np.nan], object)),
    "None and NA in objects": (column(["a", None], object), column(["a", pd.NA], object)),
    "NaN and NaT in objects": (column(["a", np.nan], object), column(["a", pd.NaT], object)),
    "1 and True in objects": (column(["a", 1], object), column(["a", True], object)),
    "lists in objects": (column([[1, 2], [3]]), column([[1, 3], [3]])),
    "list and tuple in objects": (column([[1], [3]], object), column([(1,), [3]], object)),
    "duplicate names": (pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame([[2, 1]], columns=["a", "a"])),
    "names 1 and '1'": (pd.DataFrame([[1]], columns=[1]), pd.DataFrame([[1]], columns=["1"])),
    "empty frames of other dtypes": (column([], "int64"), column([], "float64")),
    "empty frame and no column": (column([], "int64"), pd.DataFrame()),
    "texts cut elsewhere": (column(["ab", "c"]), column(["a", "bc"])),
    "missing and empty text": (column(["a", None], "str"), column(["a", ""], "str")),
    "missing text elsewhere": (column([None, ""], "str"), column(["", None], "str")),
    "nullable: missing and zero": (column([0, None], "Int64"), column([0, 0], "Int64")),
    "NaN and NA in Float64": (
        column(pd.arrays.FloatingArray(np.array([0.0, np.nan]), np.array([False, False]))),
        column(pd.arrays.FloatingArray(np.array([0.0, np.nan]), np.array([False, True]))),
    ),
    "names of two index levels": (
        column([1]).set_axis(pd.MultiIndex.from_tuples([(1, 2)], names=["a", "b"])),
        column([1]).set_axis(pd.MultiIndex.from_tuples([(1, 2)], names=["b", "a"])),
    ),
    "frame and series": (column([1]), column([1])["x"]),
    "series names": (pd.Series([1], name="a"), pd.Series([1], name="b")),
    "series and index": (pd.Series([1]), pd.Index([1])),
    "intervals closed elsewhere": (
        column(pd.interval_range(0, 2, closed="left")),
        column(pd.interval_range(0, 2, closed="right")),
    ),
    "periods": (column(pd.period_range("2020", "2021", freq="M")), column(pd.period_range("2020", "2021", freq="D"))),
    "months": (column([pd.Period("2020-01", "M")]), column([pd.Period("2020-02", "M")])),
    "arrow lists": (
        column([[1], [2]], pd.ArrowDtype(pa.list_(pa.int64()))),
        column([[1], [3]], pd.ArrowDtype(pa.list_(pa.int64()))),
    ),
    "sparse fill": (column(pd.arrays.SparseArray([0, 0, 1])), column(pd.arrays.SparseArray([0, 0, 1], fill_value=1))),
    "sparse place": (column(pd.arrays.SparseArray([0, 1, 0])), column(pd.arrays.SparseArray([0, 0, 1]))),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_two_different_frames_have_two_digests(name: str) -> None:
    left, right = PAIRS[name]
    assert fingerprint(left) != fingerprint(right)


garbage = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\1"), pa.py_buffer(np.array([5, 99]))])
clean = pa.array([5, None], pa.int64())
words = ["a", None, "ccc", "dd"]
SAME = {
    "NaN payloads": (nan(0x7FF8000000000000), nan(0x7FF8000000000001)),
    "signs of NaN": (nan(0x7FF8000000000000), nan(0xFFF8000000000000)),
    "order in dictionaries in cells": (column([{"a": 1, "b": [2]}]), column([{"b": [2], "a": 1}])),
    "equal texts, not identical": (column(["ab" * 10] * 2, object), column(["ab" * 10, "".join(["ab"] * 10)], object)),
    "garbage under nulls": (column(garbage, pd.ArrowDtype(pa.int64())), column(clean, pd.ArrowDtype(pa.int64()))),
    "garbage under a mask": (
        column(pd.arrays.IntegerArray(np.array([5, 99]), np.array([False, True]))),
        column(pd.arrays.IntegerArray(np.array([5, 1]), np.array([False, True]))),
    ),
    "chunks": (
        column(pa.chunked_array([words[:1], [], words[1:]]), pd.ArrowDtype(pa.string())),
        column(pa.array(words), pd.ArrowDtype(pa.string())),
    ),
    "slices": (
        column(pa.array(["q", *words, "r"]).slice(1, 4), pd.ArrowDtype(pa.string())),
        column(pa.array(words), pd.ArrowDtype(pa.string())),
    ),
    "unused levels": (
        column([1, 2]).set_axis(pd.MultiIndex.from_tuples([(1, 1), (1, 2), (2, 2)])[1:]),
        column([1, 2]).set_axis(pd.MultiIndex.from_tuples([(1, 2), (2, 2)])),
    ),
    "frequency of the index": (
        column([1, 2, 3]).set_axis(pd.date_range("2020", periods=3, freq="D")),
        column([1, 2, 3]).set_axis(pd.DatetimeIndex(["2020-01-01", "2020-01-02", "2020-01-03"]).as_unit("us")),
    ),
    "index of one step": (column([1]).set_axis(range(3, 5, 2)), column([1]).set_axis(pd.Index([3]))),
    "empty index": (column([], "str").set_axis(range(5, 5)), column([], "str").set_axis(pd.Index([], dtype="int64"))),
    "who made the zone": (
        column(pd.to_datetime(["2024-01-01"]).tz_localize(dt.UTC)),
        column(pd.to_datetime(["2024-01-01"]).tz_localize(zoneinfo.ZoneInfo("UTC"))),
    ),
    "zone of a fixed offset through parquet": (
        column(pd.to_datetime(["2024-01-01T00:00+01:00"])),
        through_parquet(column(pd.to_datetime(["2024-01-01T00:00+01:00"]))),
    ),
    "a view of strided memory": (
        pd.DataFrame(np.arange(12).reshape(4, 3)),
        pd.DataFrame({0: [0, 3, 6, 9], 1: [1, 4, 7, 10], 2: [2, 5, 8, 11]}),
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_two_frames_that_differ_in_nothing_that_counts_have_one_digest(name: str) -> None:
    left, right = SAME[name]
    assert fingerprint(left) == fingerprint(right)


class Measured(pd.DataFrame):
    _metadata = ["unit"]  # noqa: RUF012  # as pandas asks its subclasses to do

    @property
    def _constructor(self) -> type:
        return Measured


def test_what_a_subclass_declares_is_content() -> None:
    metres, seconds, plain = Measured({"x": [1]}), Measured({"x": [1]}), pd.DataFrame({"x": [1]})
    metres.unit, seconds.unit = "m", "s"
    assert len({fingerprint(metres), fingerprint(seconds), fingerprint(plain)}) == 3
    assert fingerprint(metres) == fingerprint(metres.copy())


ARROW = {
    "bool": (pa.bool_(), [True, None, False, True]),
    "half float": (pa.float16(), [np.float16(1), None, np.float16(2), np.float16(3)]),
    "float": (pa.float32(), [1.5, None, float("nan"), 3]),
    "date": (pa.date32(), [dt.date(2024, 1, 1), None, dt.date(2024, 1, 2), dt.date(2024, 1, 3)]),
    "time": (pa.time64("us"), [dt.time(1), None, dt.time(2), dt.time(3)]),
    "duration": (pa.duration("us"), [dt.timedelta(1), None, dt.timedelta(2), dt.timedelta(3)]),
    "binary": (pa.binary(), [b"a", None, b"", b"ccc"]),
    "fixed binary": (pa.binary(2), [b"aa", None, b"bb", b"cc"]),
    "text view": (pa.string_view(), ["a", None, "", "ccc"]),
    "decimal": (pa.decimal128(5, 2), [decimal.Decimal("1.5"), None, decimal.Decimal(2), decimal.Decimal(3)]),
    "structure": (pa.struct([("a", pa.int8())]), [{"a": 1}, None, {"a": None}, {"a": 3}]),
    "nothing": (pa.null(), [None] * 4),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), ["a", None, "b", "a"]),
}


@pytest.mark.parametrize("name", ARROW)
def test_arrow_types_in_chunks_and_slices(name: str) -> None:
    kind, values = ARROW[name]
    whole = pa.array(values, kind)
    expected = fingerprint(whole)
    chunked = pa.chunked_array([whole[:1], whole[1:1], whole[1:]])
    assert fingerprint(chunked) == expected
    assert fingerprint(pa.chunked_array([whole, whole])[4:].combine_chunks()) == expected
    assert fingerprint(pa.concat_arrays([whole[2:], whole])[2:]) == expected
    assert fingerprint(pa.array(values[::-1], kind)) != expected or name == "nothing"
    assert fingerprint(whole[:3]) != expected


def test_arrow_dictionaries_of_any_values_are_decoded() -> None:
    views = [pa.array(texts, pa.string_view()) for texts in (["a", "b"], ["b", "a"])]
    for values, reverse in (views, (pa.array([[1], [2]]), pa.array([[2], [1]]))):
        coded = pa.DictionaryArray.from_arrays(pa.array([0, None, 1]), values)
        other = pa.DictionaryArray.from_arrays(pa.array([1, None, 0]), reverse)
        assert fingerprint(coded) == fingerprint(other)
        assert fingerprint(coded) != fingerprint(coded[:2])


def test_surrogates_in_texts_are_content() -> None:
    frames = [column(["a", text], pd.StringDtype("python", na_value=np.nan)) for text in ("\ud800", "\ud801")]
    assert fingerprint(frames[0]) != fingerprint(frames[1])


def test_a_cell_that_cannot_be_fingerprinted_is_named() -> None:
    frame = pd.DataFrame({"ok": [1, 2], "bad": [1, {"f": lambda: None}]})
    with pytest.raises(CannotFingerprint) as caught:
        fingerprint(frame, "frame")
    assert caught.value.part == "frame['bad'][1]['f']"


cells = {
    "int64": st.integers(-(2**62), 2**62),
    "float64": st.floats(),
    "str": st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.none(),
    "bool": st.booleans(),
    "Int64": st.integers(-100, 100) | st.none(),
    "datetime64[us]": st.datetimes(pd.Timestamp("1900"), pd.Timestamp("2100")) | st.none(),
    "category": st.sampled_from("abc") | st.none(),
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 40))
    dtypes = draw(st.lists(st.sampled_from(sorted(cells)), min_size=1, max_size=4))
    columns = [
        pd.Series(draw(st.lists(cells[dtype], min_size=rows, max_size=rows)), dtype=dtype, name=f"c{number}")
        for number, dtype in enumerate(dtypes)
    ]
    # Parquet does not say of which type no categories are.
    assume(all(column.dtype != "category" or column.notna().any() for column in columns))
    return pd.concat(columns, axis=1)


@settings(max_examples=40)
@given(frame=frames(), cut=st.integers(0, 40))
def test_equal_frames_have_equal_digests(frame: pd.DataFrame, cut: int) -> None:
    expected = fingerprint(frame)
    assert fingerprint(frame.copy(deep=True)) == expected
    assert fingerprint(through_parquet(frame)) == expected
    same_columns = {name: series.array.copy() for name, series in frame.items()}
    assert fingerprint(pd.DataFrame(same_columns)) == expected
    if 0 < cut < len(frame):
        assert fingerprint(pd.concat([frame.iloc[:cut], frame.iloc[cut:]])) == expected
        longer = pd.concat([frame.iloc[:cut], frame], ignore_index=True)
        assert fingerprint(longer.iloc[cut:].reset_index(drop=True)) == expected


def is_same(left: object, right: object) -> bool:
    missing = pd.isna([left, right])
    return bool(missing.all() if missing.any() else left == right and str(left) == str(right))


@settings(max_examples=60)
@given(frame=frames(), data=st.data())
def test_any_change_of_one_cell_is_noticed(frame: pd.DataFrame, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(frame) - 1))
    position = data.draw(st.integers(0, frame.shape[1] - 1))
    series = frame.iloc[:, position]
    changed_series = series.copy()
    value = data.draw(cells[str(series.dtype) if not isinstance(series.dtype, pd.CategoricalDtype) else "category"])
    if isinstance(series.dtype, pd.CategoricalDtype) and value is not None and value not in series.cat.categories:
        return
    changed_series.iloc[row] = value
    changed = frame.copy()
    changed.isetitem(position, changed_series)
    equal = is_same(changed_series.iloc[row], series.iloc[row])
    assert (fingerprint(changed) == fingerprint(frame)) is equal
