from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbmlops.data.fingerprints.fingerprint import fingerprint
from nbmlops.runtime.handover import frames
from nbmlops.runtime.handover.codecs import decode, encode, encode_bundle
from nbmlops.runtime.handover.sharing import Walk
from nbmlops.runtime.store.store import Store
from nbmlops.runtime.store.stored import Codec


def round_trip(store: Store, value: object) -> tuple[Codec, Any]:
    encoded = encode(value, Walk(value))
    return encoded.codec, decode(encoded.codec, store.put(encoded.parts), store)


def mixed() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "a": np.arange(5.0),
            "b": np.arange(5.0) * 2,
            "text": ["x", None, "", "é", "zz"],
            "when": pd.date_range("2020", periods=5),
            "then": pd.to_datetime(["2021-01-01", None] * 2 + [None]),
            "kind": pd.Categorical(list("ababa"), categories=["b", "a", "unused"], ordered=True),
            "zone": pd.date_range("2020-03-29", periods=5, freq="h", tz="Europe/Paris").to_series().to_numpy(),
            "flag": [True, False] * 2 + [True],
            "small": np.arange(5, dtype="int8"),
            "span": pd.to_timedelta([1, 2, 3, None, 5], unit="s"),
        }
    )
    frame["late"] = np.arange(5)
    frame["here"] = pd.date_range("2020-03-29", periods=5, freq="h", tz="Europe/Paris")
    frame.attrs["source"] = {"url": "x", "n": 1}
    return frame


FRAMES: dict[str, tuple[Callable[[], Any], Codec]] = {
    "mixed": (mixed, Codec.ARROW),
    "one block": (lambda: pd.DataFrame(np.arange(12.0).reshape(4, 3)), Codec.ARROW),
    "the other order": (lambda: pd.DataFrame(np.asfortranarray(np.arange(12.0).reshape(4, 3))), Codec.ARROW),
    "filtered": (lambda: mixed()[mixed()["a"] > 2], Codec.ARROW),
    "no rows": (lambda: mixed().iloc[:0], Codec.ARROW),
    "nothing": (pd.DataFrame, Codec.ARROW),
    "index of texts": (lambda: mixed().set_index("kind").reset_index(drop=True).assign(a=1), Codec.ARROW),
    "text index": (lambda: mixed().fillna({"text": "-"}).set_index("text"), Codec.ARROW),
    "time index": (lambda: mixed().set_index("when"), Codec.ARROW),
    "labels of ints": (lambda: pd.DataFrame({3: [1], 1: [2]}), Codec.ARROW),
    "same label twice": (lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]), Codec.ARROW),
    "series": (lambda: mixed()["text"], Codec.ARROW),
    "series with a tuple as name": (lambda: pd.Series([1.5, np.nan], name=("a", 1)), Codec.ARROW),
    "objects": (lambda: pd.DataFrame({"o": [1, "a", [1]]}), Codec.PICKLE),
    "several levels": (lambda: mixed().set_index(["kind", "flag"])["a"], Codec.PICKLE),
    "index with a frequency": (lambda: pd.Series([1, 2], pd.date_range("2020", periods=2)), Codec.PICKLE),
    "masked": (lambda: pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), Codec.PICKLE),
    "complex": (lambda: pd.Series([1j]), Codec.PICKLE),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_come_back_the_very_same(tmp_path: Path, name: str) -> None:
    make, codec = FRAMES[name]
    value = make()
    used, again = round_trip(Store(tmp_path), value)
    assert used is codec
    assert fingerprint(again) == fingerprint(value)
    assert frames._facts(again) == frames._facts(value)
    check: Any = pd.testing.assert_frame_equal if value.ndim == 2 else pd.testing.assert_series_equal
    check(again, value, check_freq=True)
    assert again.attrs == value.attrs


def test_sums_of_a_frame_have_the_same_bits_after_the_border(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(1000, 7)) * 10.0 ** np.arange(7)
    for values in (data, np.asfortranarray(data)):
        frame = pd.DataFrame(values)
        _, again = round_trip(Store(tmp_path), frame)
        assert again.to_numpy().strides == frame.to_numpy().strides
        assert again.to_numpy().sum().hex() == frame.to_numpy().sum().hex()


def test_a_loaded_frame_can_be_changed_and_the_store_does_not_notice(tmp_path: Path) -> None:
    store = Store(tmp_path)
    frame = mixed()
    encoded = encode(frame, Walk(frame))
    ref = store.put(encoded.parts)
    first = decode(encoded.codec, ref, store)
    first.loc[0, "late"] = 99
    first["small"] += 1
    assert fingerprint(decode(encoded.codec, ref, store)) == fingerprint(frame)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6).reshape(2, 3),
        np.arange(6).reshape(2, 3).T,
        np.array(3.0),
        np.zeros((0, 3)),
        np.zeros((2, 0), order="F"),
        np.array(["2020-01-01", "NaT"], dtype="M8[D]"),
        np.array(["a", "bcd"]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.arange(3, dtype=">i4"),
        np.array([True, False]),
    ],
    ids=repr,
)
def test_arrays_come_back_with_type_shape_and_order(tmp_path: Path, value: np.ndarray[Any, Any]) -> None:
    codec, again = round_trip(Store(tmp_path), value)
    assert codec is Codec.NPY
    assert (again.dtype, again.shape, again.strides) == (value.dtype, value.shape, value.strides)
    assert again.tobytes() == value.tobytes()
    assert again.flags.writeable


@pytest.mark.parametrize(
    "value", [None, 3, float("inf"), "text", b"x", [1, (2, "a")], {1: 2.0}, (), {"a": {"b": None}}]
)
def test_plain_values_are_json(tmp_path: Path, value: object) -> None:
    assert round_trip(Store(tmp_path), value) == (Codec.JSON, value)


def test_a_list_inside_twice_is_the_same_list_afterwards(tmp_path: Path) -> None:
    inner = [1]
    codec, again = round_trip(Store(tmp_path), [inner, inner])
    assert (codec, again) == (Codec.PICKLE, [[1], [1]])
    assert again[0] is again[1]


def test_an_array_of_many_fields_comes_back(tmp_path: Path) -> None:
    value = np.zeros(2, dtype=[(f"field_with_a_long_name_{number}", "f8") for number in range(3000)])
    _, again = round_trip(Store(tmp_path), value)
    assert again.dtype == value.dtype
    assert again.tobytes() == value.tobytes()


@pytest.mark.parametrize("value", [np.float64(2.5), np.array([1, "a"], dtype=object), {1, 2}, "\ud800", 1 << 6000, 2j])
def test_everything_else_is_pickled(tmp_path: Path, value: object) -> None:
    codec, again = round_trip(Store(tmp_path), value)
    assert (codec, type(again), fingerprint(again)) == (Codec.PICKLE, type(value), fingerprint(value))


def test_a_bundle_keeps_aliases_and_views(tmp_path: Path) -> None:
    store = Store(tmp_path)
    grid = np.zeros((3, 4))
    frame = pd.DataFrame({"a": [1]})
    values: dict[str, Any] = {"grid": grid, "row": grid[1], "back": grid[:, ::-1], "f": frame, "g": [frame]}
    encoded = encode_bundle(values, {name: Walk(value) for name, value in values.items()})
    again = decode(encoded.codec, store.put(encoded.parts), store)
    again["row"][0] = 7.0
    assert (again["grid"][1, 0], again["back"][1, 3]) == (7.0, 7.0)
    assert again["back"].strides == values["back"].strides
    assert again["g"][0] is again["f"]


@pytest.mark.parametrize(
    "part",
    [
        np.s_[:, 1], np.s_[::2], np.s_[::-1], np.s_[::-2, ::-1], np.s_[1:3, 1:],
    ],
)  # fmt: skip
def test_arrays_with_gaps_lie_in_memory_as_they_did(part: Any, tmp_path: Path) -> None:
    given = np.arange(24.0).reshape(6, 4)[part]

    codec, back = round_trip(Store(tmp_path), given)

    assert codec is Codec.PICKLE
    assert back.strides == given.strides
    assert back.flags.writeable
    np.testing.assert_array_equal(back, given)
