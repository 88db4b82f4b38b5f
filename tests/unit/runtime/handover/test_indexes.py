"""Values that hold one pandas index are stored each by itself, and hold one index again when they are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from nbmlops.runtime.handover.codecs import Codec
from nbmlops.runtime.handover.handover import Handover, Saved
from nbmlops.runtime.store.store import Store
from nbmlops.runtime.store.stored import StoredValue


class Steps:
    """Steps one after the other, each with a hand-over of its own."""

    def __init__(self, folder: Path) -> None:
        self.namespace: dict[str, StoredValue] = {}
        self._store = Store(folder)

    def step(self) -> Handover:
        return Handover(self._store, self.namespace, "package")

    def save(self, step: Handover, outputs: Mapping[str, object]) -> Saved:
        saved = step.save(outputs)
        self.namespace |= {value.name: value for value in saved.values}
        return saved


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    return Steps(tmp_path)


def _frame() -> pd.DataFrame:
    return pd.DataFrame({"a": [1, 2]}, index=[5, 6])


def test_values_over_one_index_are_stored_by_themselves_and_share_it_again(steps: Steps) -> None:
    df = _frame()
    box = {"part": pd.Series([3, 4], index=df.index), "index": df.index}
    saved = steps.save(steps.step(), {"df": df, "s": pd.Series([1, 2], index=df.index), "i": df.index, "box": box})
    assert [value.codec for value in saved.values] == [Codec.ARROW, Codec.ARROW, Codec.PICKLE, Codec.PICKLE]

    later = steps.step()
    df, s, i, box = (later.load(name) for name in ("df", "s", "i", "box"))
    assert df.index is s.index is i is box["part"].index is box["index"]


def test_a_series_over_the_index_of_a_stored_frame_leaves_the_frame_as_it_is(steps: Steps) -> None:
    steps.save(steps.step(), {"df": _frame()})
    step = steps.step()
    saved = steps.save(step, {"s": pd.Series([1, 2], index=step.load("df").index)})
    assert ([value.name for value in saved.values], saved.changed_inputs) == (["s"], ())

    later = steps.step()
    assert later.load("s").index is later.load("df").index


def test_who_holds_a_renamed_index_is_stored_again_although_the_step_does_not_read_it(steps: Steps) -> None:
    df = _frame()
    steps.save(steps.step(), {"df": df, "s": pd.Series([1, 2], index=df.index), "other": _frame()})
    step = steps.step()
    step.load("df").index.name = "id"
    saved = steps.save(step, {})
    assert [value.name for value in saved.values] == ["df", "s"]
    assert (saved.changed_inputs, saved.renamed) == (("df", "s"), ("s",))
    assert saved.unkeyable() == "it renames an index that 's' holds, too, which it does not read"
    assert [steps.step().load(name).index.name for name in ("s", "df", "other")] == ["id", "id", None]


def test_a_frequency_that_is_set_in_place_counts_although_it_is_no_content(steps: Steps) -> None:
    index = pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-03"])
    steps.save(steps.step(), {"df": pd.DataFrame({"a": [1, 2, 3]}, index=index), "i": index})
    step = steps.step()
    step.load("i").freq = "D"
    steps.save(step, {})
    assert steps.step().load("df").index.freq == "D"


def test_an_index_that_was_exchanged_for_an_equal_one_is_another_one(steps: Steps) -> None:
    df = _frame()
    steps.save(steps.step(), {"df": df, "s": pd.Series([1, 2], index=df.index)})
    step = steps.step()
    changed = step.load("df")
    changed.index = changed.index.copy()
    saved = steps.save(step, {})
    assert [value.name for value in saved.values] == ["df"]
    later = steps.step()
    assert later.load("df").index is not later.load("s").index


def test_labels_of_rows_that_are_those_of_columns_too(steps: Steps) -> None:
    square = pd.DataFrame([[1, 2], [2, 1]], index=["a", "b"])
    square.columns = square.index
    steps.save(steps.step(), {"square": square, "i": square.index})
    later = steps.step()
    assert later.load("i") is later.load("square").index is later.load("square").columns


def test_what_a_step_depends_on_tells_indexes_only_where_they_came_from_another_value(steps: Steps) -> None:
    df = _frame()
    steps.save(steps.step(), {"df": df, "s": pd.Series([1, 2], index=df.index)})
    assert steps.namespace["df"].identity(steps.namespace) == (f"pandas.DataFrame {steps.namespace['df'].fingerprint}")
    assert steps.namespace["s"].identity(steps.namespace).endswith(f" {steps.namespace['df'].indexes[0]}")
