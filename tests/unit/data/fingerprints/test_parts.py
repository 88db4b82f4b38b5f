"""The named parts of a frame's fingerprint: which kind of change each change of table a2 is, and what is none."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbmlops.data.fingerprints import parts as parts_of_frames
from nbmlops.data.fingerprints.fingerprint import fingerprint, fingerprint_frame
from nbmlops.data.fingerprints.parts import kinds_of_change
from tests.fakes.changed_frames import BASE, CHANGES, CONTROLS

GOLDEN = Path(__file__).parents[3] / "golden" / "fingerprints" / "parts.json"


def parts(frame: object) -> dict[str, str]:
    found = fingerprint_frame(frame)
    assert found.digest == fingerprint(frame)
    return {"digest": found.digest, **found.parts.to_json()}


BEFORE = parts(BASE)
SCHEMA = {
    "column renamed", "columns named", "int64 becomes int32", "int64 becomes float64", "int64 becomes nullable",
    "bool becomes int8", "str becomes object", "str becomes string", "seconds become nanoseconds",
    "zone differs, same instants", "zone dropped", "unused category added", "categories in another order",
    "categories ordered", "index of int32", "index named",
}  # fmt: skip
KINDS = dict.fromkeys(SCHEMA, ("schema",)) | {
    "object cell becomes 1.0": ("storage",),
    "two rows swapped": ("order",),
    "last row missing": ("index", "data"),
    "columns in another order": ("schema", "data"),
    "column missing": ("schema", "data"),
    "index shifted": ("index",),
    "index with other steps": ("index",),
    "index reversed": ("index",),
    "index of texts": ("schema", "index"),
    "index of two levels": ("schema", "index"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_kind_of_a_change_is_told(name: str) -> None:
    changed = parts(CHANGES[name](BASE.copy(deep=True)))
    assert kinds_of_change(BEFORE, changed) == KINDS.get(name, ("data",))


@pytest.mark.parametrize("name", CONTROLS)
def test_what_is_no_change_changes_no_part(name: str) -> None:
    assert parts(CONTROLS[name](BASE.copy(deep=True))) == BEFORE


def test_without_parts_only_the_content_is_known_to_differ() -> None:
    assert kinds_of_change({"digest": "a"}, {"digest": "b"}) == ("content",)
    assert kinds_of_change({"digest": "a"}, {"digest": "a"}) == ()


def test_rows_in_any_order() -> None:
    shuffled = BASE.sample(frac=1, random_state=0)
    assert kinds_of_change(BEFORE, parts(shuffled)) == ("index", "order")
    assert kinds_of_change(BEFORE, parts(shuffled.reset_index(drop=True))) == ("order",)
    twice = pd.DataFrame({"a": [1, 1, 2]})
    other = pd.DataFrame({"a": [1, 2, 2]})
    assert parts(twice)["any_order"] != parts(other)["any_order"]


def test_cells_are_not_told_from_rows_by_moving_them_between_columns() -> None:
    frames = [pd.DataFrame({"a": left, "b": right}) for left, right in (([1, 0], [0, 1]), ([1, 1], [0, 0]))]
    assert parts(frames[0])["any_order"] != parts(frames[1])["any_order"]


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_of_frames, "BLOCK_ROWS", 7)
    assert parts(BASE) == BEFORE


def test_the_values_are_equal_in_every_library() -> None:
    pl = pytest.importorskip("polars")
    frame = BASE.drop(columns=["o", "z"]).assign(d=BASE.t - BASE.t[0], y=b"bytes")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    expected = parts(frame)
    for other in (table, table.combine_chunks().to_batches()[0], pl.from_arrow(table)):
        found = parts(other)
        assert (found["data"], found["any_order"]) == (expected["data"], expected["any_order"])
        assert found["digest"] != expected["digest"]
        assert found["schema"] != expected["schema"]


INSTANTS = np.array(["2024-01-01T00:00:01", "1500-01-01"], "M8[s]")
VALUES = {
    "numbers": ([1.0, -0.0, 3.0], [[1, 0, 3], np.array([1, 0, 3], "u1"), np.array([1, 0, 3], "f4"), [True, 0, 3]]),
    "large integers": ([2**63, 2**62, -1], [pd.array([2**63, 2**62, -1], dtype=object), [float(2**63), 2.0**62, -1.0]]),
    "missing": ([None, 1], [[np.nan, 1.0], pd.array([None, 1], dtype="Int64"), pd.array([pd.NA, 1], dtype=object)]),
    "texts": (["a", "", None, "é" * 200], [pd.Categorical(["a", "", None, "é" * 200]),
                                           pd.array(["a", "", None, "é" * 200], dtype=object)]),
    "instants": (INSTANTS, [
        pd.DatetimeIndex(INSTANTS.astype("M8[us]")).tz_localize("UTC").tz_convert("Asia/Tokyo"),
    ]),
    "intervals": (pd.interval_range(0, 2).array, [pd.arrays.IntervalArray.from_breaks([0.0, 1.0, 2.0])]),
    "sparse": ([0, 0, 1], [pd.arrays.SparseArray([0, 0, 1])]),
    "complex": ([1 + 2j], [np.array([1 + 2j], "c8")]),
}  # fmt: skip


def column(values: object) -> dict[str, str]:
    return parts(pd.DataFrame({"x": values}))


@pytest.mark.parametrize("name", VALUES)
def test_equal_values_of_other_types_are_equal(name: str) -> None:
    first, others = VALUES[name]
    assert {column(other)["data"] for other in others} == {column(first)["data"]}


def test_other_values_are_not_equal() -> None:
    large = [2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 2**64, 2**70 + 1, 2**2000]
    columns = [
        [np.inf], [1.5], ["1"], [b"1"], [""], [b""], ["a" * 255], ["a" * 256], ["a" * 257], ["a" * 258], ["a\0"], ["a"],
        [[1]], [{"a": 1}], [(1,)], [Decimal(1)], [pd.Timestamp("2024-01-01")], [pd.Timedelta(1)], [None],
        [pd.Interval(0, 1)], [pd.Period("2024", "Y")], ["\ud800"], [1j],
    ]  # fmt: skip
    frames = [pd.DataFrame({"x": pd.Series(values, dtype=object)}) for values in [*columns, *([one] for one in large)]]
    found = {fingerprint_frame(frame).parts.data for frame in frames}
    assert len(found) == len(frames)


def test_a_frame_of_no_rows_or_no_columns() -> None:
    empty = [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame(index=[0, 1])]
    assert len({parts(frame)["data"] for frame in empty}) == 3


cells = st.one_of(st.none(), st.integers(-3, 3), st.floats(allow_nan=False), st.text(max_size=3), st.booleans())


@settings(max_examples=60)
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=20), data=st.data())
def test_only_a_change_of_the_multiset_changes_any_order(rows: list[tuple], data: st.DataObject) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"], dtype=object)
    expected = parts(frame)["any_order"]
    permuted = data.draw(st.permutations(rows))
    assert parts(pd.DataFrame(permuted, columns=["a", "b"], dtype=object))["any_order"] == expected
    place = data.draw(st.integers(0, len(rows) - 1))
    changed = [*rows[:place], (*data.draw(st.tuples(cells, cells)),), *rows[place + 1 :]]
    same = sorted(map(repr, map(by_value, changed))) == sorted(map(repr, map(by_value, rows)))
    assert (parts(pd.DataFrame(changed, columns=["a", "b"], dtype=object))["any_order"] == expected) is same


def by_value(row: tuple) -> tuple:
    """Numbers as the one that is equal to them."""
    return tuple(float(cell) + 0.0 if isinstance(cell, int | float) else cell for cell in row)


def test_the_parts_are_the_published_ones(request: pytest.FixtureRequest) -> None:
    recipes = json.loads(GOLDEN.read_text())
    names = {"np": np, "pd": pd, "pa": pa}
    found = {recipe: parts(eval(recipe, dict(names))) for recipe in recipes}
    if request.config.getoption("--update-goldens"):
        GOLDEN.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    assert found == json.loads(GOLDEN.read_text())
