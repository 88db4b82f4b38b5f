"""Calibration: ten bins of equally many rows."""

from __future__ import annotations

import numpy as np

from nbmlops.data.held_out.calibration import CalibrationBin, calibration


def test_bins_hold_equally_many_rows_in_the_order_of_scores() -> None:
    scores = np.linspace(0, 1, 100)[::-1]
    found = calibration(scores > 0.5, scores)
    assert [one.rows for one in found] == [10] * 10
    assert [one.share for one in found] == [0.0] * 5 + [1.0] * 5
    assert [one.score for one in found] == sorted(one.score for one in found)


def test_few_rows_have_few_bins() -> None:
    assert calibration(np.array([True]), np.array([0.3])) == (CalibrationBin(0.3, 1.0, 1),)
