import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xxhash

from nbmlops.core.errors import UsageError
from nbmlops.core.records import DataRecord
from nbmlops.data.describe import describe
from nbmlops.data.fingerprints.fingerprint import CannotFingerprint, fingerprint, fingerprint_frame
from nbmlops.data.profiles.profile import bounded, profile

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None]})


def test_a_frame() -> None:
    summary = profile(FRAME)
    changed = FRAME.assign(b=["y", None])
    found = fingerprint_frame(FRAME)
    for column, digest, values in zip(summary["columns"], found.columns, found.values, strict=True):
        column |= {"digest": digest, "values": values}
    assert describe(FRAME, "flights", "training") == DataRecord(
        name="flights",
        digest=fingerprint(FRAME),
        kind="frame",
        rows=2,
        columns=(("a", "int64"), ("b", "str")),
        context="training",
        profile=summary,
        parts={
            "schema": found.parts.schema,
            "index": found.parts.index,
            "data": found.parts.data,
            "any_order": found.parts.any_order,
        },
    )
    same, different = zip(column_digests(FRAME), column_digests(changed), strict=True)
    assert same[0] == same[1]
    assert different[0] != different[1]


def column_digests(frame: pd.DataFrame) -> list[str]:
    return [column["digest"] for column in describe(frame, "x").profile["columns"]]


def test_a_frame_of_objects_has_the_digest_of_the_value() -> None:
    shared = [1]
    frame = pd.DataFrame({"a": [shared, {"k": shared}], "b": [shared, None]})
    assert describe(frame, "x").digest == fingerprint(frame)


def test_cells_that_have_no_hash_are_described_and_those_without_content_are_named() -> None:
    frame = pd.DataFrame({"a": [[1], {"x": {2}}, np.zeros(2)], "b": [b"x", None, Decimal("1.5")]})
    record = describe(frame, "x")
    assert record.digest == describe(frame.copy(deep=True), "x").digest
    assert [column["types"] for column in record.profile["columns"]] == [
        ["dict", "list", "ndarray"],
        ["Decimal", "bytes"],
    ]
    with pytest.raises(CannotFingerprint, match=r"cannot fingerprint x\['a'\]\[1\]: function '.*<lambda>'"):
        describe(pd.DataFrame({"a": [1, lambda: None]}), "x")


def test_ten_thousand_columns_stay_small() -> None:
    record = describe(pd.DataFrame(np.arange(30_000.0).reshape(3, 10_000)), "wide")
    assert (len(record.columns), record.profile["columns_left_out"]) == (1000, 9_800)
    assert len(json.dumps(bounded(record.profile, 48_000))) <= 48_000


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_frames_of_other_libraries(library: str) -> None:
    columns = {"i": [1, None, 3], "s": ["a", "a", None], "l": [[1], [], None]}
    if library == "polars":
        polars = pytest.importorskip("polars")
        value: Any = polars.DataFrame(columns)
        series = describe(value["s"], "s")
        assert (series.kind, series.digest, series.rows) == ("series", fingerprint(value["s"]), 3)
    else:
        value = pa.table(columns)
    record = describe(value, "d")
    assert (record.kind, record.rows, record.digest) == ("frame", 3, fingerprint(value))
    integers, texts, lists = record.profile["columns"]
    assert (integers["nulls"], integers["max"], texts["top"], lists["types"]) == (1, 3, [["a", 2]], ["list"])
    assert record.columns[0] == ("i", "Int64" if library == "polars" else "int64")


def test_a_series_and_an_array() -> None:
    series = describe(FRAME["a"], "s")
    assert (series.digest, series.kind, series.rows, series.columns) == (
        fingerprint(FRAME["a"]), "series", 2, (("a", "int64"),),
    )  # fmt: skip
    assert describe(np.zeros((3, 2), "f4"), "a") == DataRecord(
        "a", fingerprint(np.zeros((3, 2), "f4")), "array", 3, profile={"dtype": "float32", "shape": [3, 2]}
    )
    assert describe(np.float64(1), "a").rows == -1


def test_a_file_and_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n")
    digest = xxhash.xxh3_128_hexdigest(b"a,b\n")
    assert describe(str(path), "x") == DataRecord("x", digest, "file")
    assert describe(path, "x", "training") == DataRecord("x", digest, "file", context="training")
    assert describe(tmp_path, "x").kind == "folder"
    with pytest.raises(UsageError, match=r"y\.csv does not exist"):
        describe(str(tmp_path / "y.csv"), "x")


def test_a_long_text_is_data_and_no_path() -> None:
    for text in ("a,b\n1,2\n", "x" * 5000):
        assert describe(text, "t") == DataRecord("t", fingerprint(text), "value", profile={"type": "builtins.str"})


def test_any_other_value() -> None:
    assert describe({"a": 1}, "v") == DataRecord("v", fingerprint({"a": 1}), "value", profile={"type": "builtins.dict"})
    with pytest.raises(CannotFingerprint, match=r"cannot fingerprint v\[0\]: function '.*<lambda>'"):
        describe([lambda: 0], "v")
    with pytest.raises(CannotFingerprint, match=r"cannot fingerprint v\['f'\]\[0\]: function '.*<lambda>'"):
        describe(pd.DataFrame({"f": [lambda: 0]}), "v")
