from __future__ import annotations

import numpy as np
import pandas as pd

from nbmlops.registry.write_model import SIGNATURE_ROWS, first_rows


def test_a_signature_is_inferred_from_the_first_rows() -> None:
    frame = pd.DataFrame({"hour": range(SIGNATURE_ROWS + 5)})
    assert first_rows(frame).equals(frame.iloc[:SIGNATURE_ROWS])
    assert first_rows(frame.to_numpy()).tolist() == frame.iloc[:SIGNATURE_ROWS].to_numpy().tolist()
    assert first_rows(iter(range(SIGNATURE_ROWS + 5))) == list(range(SIGNATURE_ROWS))
    assert first_rows(np.zeros((3, 2))).shape == (3, 2)
