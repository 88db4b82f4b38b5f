from pathlib import Path

import numpy as np
import pytest

from nbmlops.data.fingerprints import arrays
from nbmlops.data.fingerprints.fingerprint import CannotFingerprint, fingerprint

GRID = np.arange(60, dtype="f8").reshape(4, 5, 3)
PADDED = np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 16})


def padded(filler: int) -> np.ndarray:
    array = np.full(48, filler, "u1").view(PADDED)
    array["a"], array["b"] = [1, 2, 3], [0.5, 1.5, 2.5]
    return array


def long_double(filler: int) -> np.ndarray:
    array = np.array([1.5, np.nan, -2], "longdouble")
    if array.dtype.itemsize == 16 and np.finfo(array.dtype).nmant == 63:
        array.view("u1").reshape(-1, 16)[:, 10:] = filler
    return array


SAME = {
    "Fortran order": (GRID, np.asfortranarray(GRID)),
    "strides": (GRID, np.repeat(GRID, 2, axis=1)[:, ::2]),
    "negative strides": (GRID, GRID[::-1].copy()[::-1]),
    "transposed": (GRID.T.copy(), GRID.T),
    "broadcast": (np.zeros((3, 2)), np.broadcast_to(np.zeros(2), (3, 2))),
    "NaN payloads": (np.array([np.nan, 1]), np.array([0xFFF8000000000001, 0x3FF0000000000000], "u8").view("f8")),
    "NaN payloads, complex": (np.array([complex(1, np.nan)]), np.array([complex(1, -np.nan)])),
    "padding of structures": (padded(0), padded(255)),
    "padding of long doubles": (long_double(0), long_double(255)),
    "objects": (np.array(["ab", 1, None], object), np.array(["".join("ab"), 1, None], object)),
    "mask that hides nothing": (np.ma.array([1, 2]), np.ma.array([1, 2], mask=[False, False])),
    "new texts": (np.array(["a", "bc"], "T"), np.array(["a", "".join("bc")], "T")),
}
DIFFERENT = {
    "one element": (GRID, np.where(GRID == 31, 0, GRID)),
    "shape": (GRID, GRID.reshape(5, 4, 3)),
    "type": (np.array([1], "i4"), np.array([1], "u4")),
    "byte order": (np.array([1], "<i4"), np.array([1], ">i4")),
    "unit": (np.array([1], "M8[s]"), np.array([1], "M8[ms]")),
    "zero signs": (np.array([0.0]), np.array([-0.0])),
    "length of texts": (np.array(["a"], "U1"), np.array(["a"], "U2")),
    "array and list": (np.array([1]), [1]),
    "array and scalar": (np.array(1), np.int64(1)),
    "scalar and number": (np.float64(1), 1.0),
    "subclass": (np.array([[1]]), np.array([[1]]).view(type("Grid", (np.ndarray,), {}))),
    "records": (padded(0), padded(0).view(np.recarray)),
    "field names": (np.zeros(1, [("a", "i1")]), np.zeros(1, [("b", "i1")])),
    "mask": (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[1, 0])),
    "fill value": (np.ma.array([1], fill_value=1), np.ma.array([1], fill_value=2)),
    "masked and not": (np.ma.array([1]), np.array([1])),
    "objects 1 and True": (np.array([1, "a"], object), np.array([True, "a"], object)),
    "empty": (np.zeros((0, 2)), np.zeros((0, 3))),
    "element types": (np.dtype("i4"), np.dtype("i8")),
}


@pytest.mark.parametrize("name", SAME)
def test_layout_is_no_content(name: str) -> None:
    left, right = SAME[name]
    assert fingerprint(left) == fingerprint(right)


@pytest.mark.parametrize("name", DIFFERENT)
def test_content_is_noticed(name: str) -> None:
    left, right = DIFFERENT[name]
    assert fingerprint(left) != fingerprint(right)


def test_large_strided_arrays_are_read_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.random.default_rng(0).standard_normal((1000, 20))
    array[500, 3] = np.nan
    expected = fingerprint(array)
    for size in (1, 1000, 10_000):
        monkeypatch.setattr(arrays, "CHUNK_BYTES", size)
        assert fingerprint(np.asfortranarray(array)) == expected


def test_a_memory_mapped_array_is_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", GRID)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="c")
    assert isinstance(mapped, np.memmap)
    assert fingerprint(mapped) == fingerprint(GRID)
    mapped[0, 0, 0] = 99
    assert fingerprint(mapped) != fingerprint(GRID)


def test_attributes_of_a_subclass_are_content() -> None:
    class Quantity(np.ndarray):
        unit = ""

    metres, seconds = (np.array([1.0]).view(Quantity) for _ in range(2))
    assert fingerprint(metres) == fingerprint(seconds)
    metres.unit, seconds.unit = "m", "s"
    assert fingerprint(metres) != fingerprint(seconds)


def test_an_element_that_cannot_be_fingerprinted_is_named() -> None:
    with pytest.raises(CannotFingerprint) as caught:
        fingerprint({"a": [np.array([1, open], object), np.array([lambda: 0], object)]}, "x")
    assert caught.value.part == "x['a'][1][0]"


def test_random_generators_are_compared_by_their_state() -> None:
    for make in (np.random.RandomState, np.random.default_rng):
        one, two = make(3), make(3)
        assert fingerprint(one) == fingerprint(two)
        one.random()
        assert fingerprint(one) != fingerprint(two)
