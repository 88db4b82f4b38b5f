from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nbmlops.data.fingerprint import fingerprint
from nbmlops.runtime import frames


def encoded(value: pd.DataFrame) -> memoryview:
    """Returns the file of a frame, in memory that can be written to."""
    parts = frames.encode(value, fingerprint)
    assert parts is not None
    return memoryview(bytearray(b"".join(parts)))


@pytest.mark.parametrize(
    ("dtype", "rows", "order", "copied"),
    [("f8", 5, "C", False), ("i8", 3, "C", False), ("i1", 16, "C", False), ("i1", 5, "C", True), ("f8", 5, "F", True)],
)
def test_columns_that_lie_in_the_file_as_in_memory_are_not_copied(
    dtype: str, rows: int, order: str, copied: bool
) -> None:
    block = np.array(np.arange(3 * rows).reshape(3, rows), dtype=dtype, order=order)  # type: ignore[call-overload]
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

    parts = frames.encode(frame, fingerprint)

    assert parts is not None
    large = [np.frombuffer(part, np.uint8) for part in parts if len(part) > 10_000]
    owned = [frame[name].to_numpy() for name in ("a", "b", "c", "time")]
    owned += [np.frombuffer(b, np.uint8) for b in frame["text"].array._pa_array.chunk(0).buffers() if b]  # type: ignore[attr-defined]
    assert len(large) == 6
    assert all(any(np.shares_memory(part, one) for one in owned) for part in large)


def test_the_file_is_one_of_arrow() -> None:
    frame = pd.DataFrame({"n": [1, 2], "s": ["a", "b"]})

    table = pa.ipc.open_file(pa.py_buffer(encoded(frame))).read_all()

    assert table.to_pydict() == {"0": [1, 2], "1": ["a", "b"]}
