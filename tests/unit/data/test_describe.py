from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xxhash

from nbmlops.core.errors import UsageError
from nbmlops.core.records import DataRecord
from nbmlops.data.describe import describe
from nbmlops.data.fingerprint import CannotFingerprint, fingerprint, fingerprint_frame
from nbmlops.data.profile import profile

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
