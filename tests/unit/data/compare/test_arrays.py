"""Differences of arrays: how many elements, in which slice, by how much, with examples."""

from typing import Any

import numpy as np
import pytest

from nbmlops.data.compare.arrays import array_difference

BASE = np.arange(12.0).reshape(3, 4)


def moved(*places: tuple[int, int], by: float = 1.0) -> Any:
    array = BASE.copy()
    for place in places:
        array[place] += by
    return array


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [
        (BASE, BASE.copy(), ""),
        (BASE, BASE.copy(order="F"), ""),
        (
            BASE,
            moved((1, 2), by=1e-9),
            "1 of 12 elements differ, by at most 1e-09: [1, 2] 6.0 in the notebook, 6.000000001 in the pipeline",
        ),
        (
            BASE,
            moved((1, 1), (1, 3), by=0.5),
            (
                "2 of 12 elements differ in [1, 1:4], by at most 0.5: "
                "[1, 1] 5.0 in the notebook, 5.5 in the pipeline; [1, 3] 7.0 in the notebook, 7.5 in the pipeline"
            ),
        ),
        (
            BASE[:, :1],
            BASE[:, :1] + 1,
            (
                "3 of 3 elements differ, by at most 1: [0, 0] 0.0 in the notebook, 1.0 in the pipeline; "
                "[1, 0] 4.0 in the notebook, 5.0 in the pipeline; [2, 0] 8.0 in the notebook, 9.0 in the pipeline"
            ),
        ),
        (np.array([np.nan, 1.0]), np.array([np.nan, 1.0]), ""),
        (
            np.array([0.0, np.nan]),
            np.array([-0.0, 1.0]),
            (
                "2 of 2 elements differ: [0] 0.0 in the notebook, -0.0 in the pipeline; "
                "[1] nan in the notebook, 1.0 in the pipeline"
            ),
        ),
        (
            np.array(["a", "b"]),
            np.array(["a", "c"]),
            "1 of 2 elements differ: [1] 'b' in the notebook, 'c' in the pipeline",
        ),
        (np.array(3), np.array(4), "it differs: 3 in the notebook, 4 in the pipeline"),
        (
            np.array([1, "x", None], dtype=object),
            np.array([1, "y", None], dtype=object),
            "1 of 3 elements differ: [1] 'x' in the notebook, 'y' in the pipeline",
        ),
        (
            np.array([1], dtype=object),
            np.array([1.0], dtype=object),
            "it differs: [0] 1 in the notebook, 1.0 in the pipeline",
        ),
        (
            np.array([("a", 1)], dtype=[("n", "U1"), ("v", "i8")]),
            np.array([("a", 2)], dtype=[("n", "U1"), ("v", "i8")]),
            "field 'v': it differs: [0] 1 in the notebook, 2 in the pipeline",
        ),
        (
            np.ma.masked_array([1, 2], [False, True]),
            np.ma.masked_array([1, 2], [True, True]),
            "mask: 1 of 2 elements differ: [0] False in the notebook, True in the pipeline",
        ),
        (
            np.array(["2024-01-01", "NaT"], dtype="M8[D]"),
            np.array(["2024-01-02", "NaT"], dtype="M8[D]"),
            (
                "1 of 2 elements differ: [0] datetime.date(2024, 1, 1) in the notebook, "
                "datetime.date(2024, 1, 2) in the pipeline"
            ),
        ),
    ],
)
def test_arrays(left: Any, right: Any, text: str) -> None:
    assert array_difference(left, right) == text
