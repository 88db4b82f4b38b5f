"""What changed between two versions, from their records alone."""

import json

import numpy as np
import pandas as pd
from msgspec.structs import replace

from nbmlops.data.describe import describe
from nbmlops.data.profiles.diff import SCHEMA, DataDiff, diff_records

FRAME = pd.DataFrame({"a": range(100), "b": ["x", "y"] * 50, "c": np.linspace(0, 1, 100)})


def diff(after: pd.DataFrame, before: pd.DataFrame = FRAME) -> DataDiff:
    return diff_records(describe(before, "d"), describe(after, "d"))


def test_nothing() -> None:
    found = diff(FRAME.copy())
    assert (found.kinds, found.columns, found.same, found.reordered) == ((), (), 3, False)


def test_every_kind_of_change_of_a_column() -> None:
    after = pd.DataFrame(
        {"a": FRAME.a.astype("int32"), "renamed": FRAME.c, "b": ["x"] * 100, "new": 1.0},
    )
    found = diff(after, FRAME.assign(gone="q"))
    assert [(one.name, one.what, one.old_name, one.types) for one in found.columns] == [
        ("a", "type", "", ("int64", "int32")),
        ("renamed", "renamed", "c", ("float64", "float64")),
        ("b", "values", "", ("str", "str")),
        ("new", "added", "", ("", "float64")),
        ("gone", "removed", "", ("str", "")),
    ]
    assert found.kinds == ("schema", "data")
    assert found.reordered
    values = found.columns[2]
    assert values.facts == {"distinct": (2, 1)}
    assert values.drift is not None
    assert (values.drift.labels, values.drift.distance) == (("x", "y"), 0.5)


def test_rows_in_another_order_and_other_columns_first() -> None:
    shuffled = diff(FRAME.sample(frac=1, random_state=0).reset_index(drop=True))
    assert shuffled.kinds == ("order",)
    assert all(one.drift is None or one.drift.distance == 0 for one in shuffled.columns)
    reordered = diff(FRAME[["c", "a", "b"]])
    assert (reordered.reordered, reordered.columns, reordered.same) == (True, (), 3)


def test_equal_names() -> None:
    twice = pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"])
    found = diff(pd.DataFrame([[1, 2], [3, 5]], columns=["x", "x"]), twice)
    assert [one.name for one in found.columns] == ["x (2)"]


def test_records_of_older_versions_without_parts_are_compared_by_their_facts() -> None:
    old, new = describe(FRAME, "d"), describe(FRAME.assign(a=1), "d")
    bare = [
        replace(
            one,
            parts={},
            profile=one.profile | {"columns": [{k: v for k, v in column.items() if k != "values"}
                                               for column in one.profile["columns"]]},
        )
        for one in (old, new)
    ]  # fmt: skip
    found = diff_records(*bare)
    assert found.kinds == ("content",)
    assert [(one.name, one.what) for one in found.columns] == [("a", "values")]


def test_files_and_wide_frames(tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    files = diff_records(*(describe(tmp_path / name, name) for name in ("a", "b")))
    assert (files.kinds, files.columns, files.rows) == (("content",), (), (-1, -1))
    wide = pd.DataFrame(np.zeros((2, 300)))
    assert diff(wide + 1, wide).unknown == 100


def test_the_document_is_json() -> None:
    document = diff(FRAME.assign(a=FRAME.a + 1, b=None)).to_json()
    assert document["schema"] == SCHEMA
    assert json.loads(json.dumps(document, allow_nan=False)) == document
