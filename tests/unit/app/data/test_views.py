import numpy as np
import pandas as pd

from nbmlops.app.data.views import MOST_COLUMNS, DataDiffView
from nbmlops.data.describe import describe
from nbmlops.data.profiles.diff import diff_records

HOSTILE = "<img src=x onerror=alert(1)>"


def view(before: pd.DataFrame, after: pd.DataFrame) -> DataDiffView:
    return DataDiffView(diff_records(describe(before, "flights"), describe(after, "flights")))


def test_a_change_is_told_in_words_and_pictures() -> None:
    before = pd.DataFrame({"delay": [1.0, 1.0, 2.0, 2.0], "hour": [1, 2, 3, 4], "gone": "x"})
    after = pd.DataFrame({"delay": [1.0, 2.0, 2.0, 2.0, 2.0], "hour": pd.array([1, 2, 3, 4, 5], dtype="int32")})
    shown = view(before, after)
    text = repr(shown)
    lines = text.splitlines()
    assert lines[0] == "CHANGED flights: names or types changed; labels of rows changed; values changed"
    assert [line.split()[0] for line in lines[3:6]] == ["delay", "hour", "gone"]
    assert "type and values: int64 → int32" in text
    assert "removed: str" in text
    assert "rows: 4 before, 5 after" in text
    html = shown._repr_html_()
    assert html.count("<svg") == 2
    assert "delay: strong drift, distance 0.300" in html


def test_no_change() -> None:
    frame = pd.DataFrame({"a": [1]})
    assert repr(view(frame, frame.copy())).splitlines()[0] == "EQUAL flights: the two are the same"


def test_names_stay_text_and_the_view_is_bounded() -> None:
    before = pd.DataFrame(np.zeros((3, 150)), columns=[f"{HOSTILE}{number}" for number in range(150)])
    shown = view(before, before + 1)
    html = shown._repr_html_()
    assert "<img" not in html
    assert f"{150 - MOST_COLUMNS} more columns changed" in html
    assert html.count("<svg") == 20
