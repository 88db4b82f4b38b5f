from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nbmlops.runtime.handover import frames


def encoded(value: pd.DataFrame) -> memoryview:
    """Returns the file of a frame, in memory that can be written to."""
    parts = frames.encode(value)
    assert parts is not None
    return memoryview(bytearray(b"".join(parts)))


@pytest.mark.parametrize(
    ("dtype", "rows", "order", "copied"),
    [("f8", 5, "C", False), ("i8", 3, "C", False), ("i1", 16, "C", False), ("i1", 5, "C", True), ("f8", 5, "F", True)],
)
def test_columns_that_lie_in_the_file_as_in_memory_are_not_copied(
    dtype: str, rows: int, order: str, copied: bool
) -> None:
    block = np.array(np.arange(3 * rows).reshape(3, rows), dtype=dtype, order=order)
    frame = pd.DataFrame(block.T, columns=list("abc"), copy=False)
    data = encoded(frame)
    again = frames.decode(data)
    pd.testing.assert_frame_equal(again, frame)
    found = again._mgr.blocks[0].values
    assert (found.flags.c_contiguous, found.flags.writeable) == (order == "C", True)
    assert np.shares_memory(found, np.frombuffer(data, np.uint8)) is not copied


def test_columns_in_another_order_or_apart_are_copied() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"], "c": [3.0, 4.0]})
    frame = pd.DataFrame({**frame, "d": [5.0, 6.0]})
    data = encoded(frame)
    pd.testing.assert_frame_equal(frames.decode(data), frame)


def test_encoding_copies_no_column() -> None:
    numbers = np.arange(30_000.0).reshape(3, 10_000)
    frame = pd.DataFrame(numbers.T, columns=list("abc"), copy=False).assign(
        text=pd.array(["some text"] * 10_000, dtype="string[pyarrow]"), time=pd.Timestamp("2024-01-01")
    )

    parts = frames.encode(frame)

    assert parts is not None
    large = [np.frombuffer(part, np.uint8) for part in parts if len(part) > 10_000]
    owned = [frame[name].to_numpy() for name in ("a", "b", "c", "time")]
    owned += [np.frombuffer(b, np.uint8) for b in frame["text"].array._pa_array.chunk(0).buffers() if b]
    assert len(large) == 6
    assert all(any(np.shares_memory(part, one) for one in owned) for part in large)


def test_the_file_is_one_of_arrow() -> None:
    frame = pd.DataFrame({"n": [1, 2], "s": ["a", "b"]})

    table = pa.ipc.open_file(pa.py_buffer(encoded(frame))).read_all()

    assert table.to_pydict() == {"0": [1, 2], "1": ["a", "b"]}


def test_only_cells_that_lie_apart_are_copied() -> None:
    frame = pd.DataFrame(np.arange(30_000.0).reshape(10_000, 3), columns=list("abc"), copy=False)

    parts = frames.encode(frame)

    assert parts is not None
    assert [len(part) for part in parts if len(part) > 10_000] == [80_000] * 3
    pd.testing.assert_frame_equal(frames.decode(memoryview(bytearray(b"".join(parts)))), frame)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"k": pd.Categorical([pd.Timestamp("2020"), None])}),
        pd.DataFrame([[1]], columns=pd.Index([pd.Timestamp("2020")], dtype=object)),
        pd.DataFrame([[1]], columns=pd.Index([np.int64(3)], dtype=object)),
        pd.DataFrame({"a": [1.0]}, index=pd.Index([1], dtype=object)),
        pd.DataFrame({"a": np.zeros(2, "f2")}),
        pd.DataFrame({"a": np.zeros(2, ">f8")}),
    ],
    ids=range(6),
)
def test_what_arrow_would_not_give_back_exactly_is_left_to_the_pickle(frame: pd.DataFrame) -> None:
    assert frames.encode(frame) is None


def test_cells_are_kept_to_the_bit() -> None:
    odd = np.array([0x7FF8000000000001, 0xFFF0000000000001, 0x8000000000000000], dtype="u8").view("f8")
    zoned = pd.Series(pd.to_datetime(["2024-10-27 01:30", None, "1900-01-01 00:00"], utc=True)).dt.tz_convert(
        "Europe/Paris"
    )
    kinds = pd.Categorical.from_codes([1, -1, 0], categories=pd.Index(["b", "a", "c"], name="n"), ordered=True)
    frame = pd.DataFrame({"odd": odd, "zoned": zoned, "kind": kinds, "text": ["", None, "é"]})

    again = frames.decode(encoded(frame))

    assert again["odd"].to_numpy().tobytes() == odd.tobytes()
    pd.testing.assert_frame_equal(again, frame)
    assert again.dtypes.to_list() == frame.dtypes.to_list()
    assert again["kind"].cat.categories.name == "n"
