from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbmlops.data.fingerprint import fingerprint
from nbmlops.runtime import frames


@pytest.mark.parametrize(
    ("dtype", "rows", "order", "copied"),
    [("f8", 5, "C", False), ("i8", 3, "C", False), ("i1", 16, "C", False), ("i1", 5, "C", True), ("f8", 5, "F", True)],
)
def test_columns_that_lie_in_the_file_as_in_memory_are_not_copied(
    dtype: str, rows: int, order: str, copied: bool
) -> None:
    block = np.array(np.arange(3 * rows).reshape(3, rows), dtype=dtype, order=order)  # type: ignore[call-overload]
    frame = pd.DataFrame(block.T, columns=list("abc"), copy=False)
    data = frames.encode(frame, fingerprint)
    assert data is not None
    again = frames.decode(data)
    pd.testing.assert_frame_equal(again, frame)
    found = again._mgr.blocks[0].values
    assert (found.flags.c_contiguous, found.flags.writeable) == (order == "C", True)
    assert np.shares_memory(found, np.frombuffer(data, np.uint8)) is not copied


def test_columns_in_another_order_or_apart_are_copied() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"], "c": [3.0, 4.0]})
    frame = pd.DataFrame({**frame, "d": [5.0, 6.0]})
    data = frames.encode(frame, fingerprint)
    assert data is not None
    pd.testing.assert_frame_equal(frames.decode(data), frame)
