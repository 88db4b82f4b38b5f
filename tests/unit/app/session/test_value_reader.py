"""No fingerprint is of a value that code may have changed meanwhile, and nothing holds up the code."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from nbmlops.app.session import value_reader
from nbmlops.app.session.value_reader import (
    BUSY,
    MOST_BYTES,
    MOST_COLUMNS,
    ValueReader,
    frozen_copy,
    is_lasting,
    model_params,
    too_large,
)
from nbmlops.data.fingerprints.fingerprint import fingerprint
from nbmlops.tracking.cells import ValueSeen

LONG = 60.0
pytestmark = pytest.mark.skipif(not pd.__version__.startswith("3"), reason="pandas 2 copies nothing on write")


class Told:
    """What a reader has told, cell by cell."""

    def __init__(self) -> None:
        self.cells: list[dict[str, ValueSeen]] = []

    def __call__(self, seen: Mapping[str, ValueSeen]) -> None:
        self.cells.append(dict(seen))

    def digests(self) -> list[dict[str, str]]:
        return [{name: one.digest or one.why for name, one in cell.items()} for cell in self.cells]


@pytest.fixture
def told() -> Told:
    return Told()


class Gate:
    """Holds up the first reading in the middle, until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.real = fingerprint

    def __call__(self, value: object, name: str, go_on: Any) -> str:
        if not self.reached.is_set():
            self.reached.set()
            assert self.opened.wait(LONG)
            go_on()
        return self.real(value, name, go_on)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    monkeypatch.setattr(import_module("nbmlops.data.fingerprints.fingerprint"), "fingerprint", gate)
    monkeypatch.setattr(value_reader, "_is_loaded", lambda: False)
    yield gate
    gate.opened.set()


def objects() -> pd.DataFrame:
    return pd.DataFrame({"a": [[1], [2]]})


def test_values_of_all_kinds_are_read_as_their_cell_left_them(told: Told):
    reader = ValueReader()
    values = {
        "frame": pd.DataFrame({"a": [1.5], "b": ["x"]}),
        "series": pd.Series([1, 2], name="s"),
        "objects": objects(),
        "polars": pl.DataFrame({"a": [1]}),
        "table": pa.table({"a": [1]}),
        "array": np.arange(6).reshape(2, 3),
    }
    reader.take(values, 0.0, told)
    assert reader.settle(LONG)
    (cell,) = told.cells
    assert {name: one.digest for name, one in cell.items()} == {n: fingerprint(value) for n, value in values.items()}
    assert cell["table"] == ValueSeen("table", "pyarrow.Table", (1, 1), fingerprint(values["table"]))
    assert cell["array"] == ValueSeen("array", "numpy.ndarray", (2, 3), fingerprint(values["array"]))


@pytest.mark.parametrize("make", [lambda: np.zeros(5), objects, lambda: pa.table({"a": [1]})])
def test_what_code_may_change_is_not_read_on_when_code_begins(make: Any, told: Told, gate: Gate):
    reader = ValueReader()
    reader.take({"x": make()}, 0.0, told)
    assert gate.reached.wait(LONG)
    reader.code_begins()
    gate.opened.set()
    assert reader.settle(LONG)
    assert told.digests() == [{"x": BUSY}]


def test_a_frozen_frame_is_read_as_it_was_though_the_next_cell_changes_it(told: Told, gate: Gate):
    reader = ValueReader()
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    other = pl.DataFrame({"a": [1]})
    before = {"frame": fingerprint(frame), "other": fingerprint(other)}
    reader.take({"frame": frame, "other": other}, 0.0, told)
    assert gate.reached.wait(LONG)
    reader.code_begins()
    frame.loc[0, "a"] = 99.0
    frame["c"] = 1
    frame.columns = pd.Index(["p", "q", "r"])
    other[0, "a"] = 5
    other.insert_column(1, pl.Series("z", [1]))
    gate.opened.set()
    assert reader.settle(LONG)
    assert told.digests() == [before]


def test_reading_beside_a_cell_rests_often_unless_somebody_waits_for_it(
    told: Told, gate: Gate, monkeypatch: pytest.MonkeyPatch
):
    rests: list[float] = []
    monkeypatch.setattr(value_reader, "time", SimpleNamespace(monotonic=count().__next__, sleep=rests.append))
    frame, done = pd.DataFrame(np.zeros((1, 50))), threading.Event()

    def tell(seen: Mapping[str, ValueSeen]) -> None:
        told(seen)
        done.set()

    monkeypatch.setattr(value_reader, "MOST_SECONDS", 1e9)
    reader = ValueReader()
    reader.take({"beside": frame}, 0.0, tell)
    assert gate.reached.wait(LONG)
    reader.code_begins()
    gate.opened.set()
    assert done.wait(LONG)
    beside, rests[:] = set(rests), []
    reader.take({"between": frame}, 0.0, tell)
    assert reader.settle(LONG)
    digest = fingerprint(frame)
    assert (beside, rests, told.digests()) == ({0.005}, [], [{"beside": digest}, {"between": digest}])


def test_an_array_that_waits_is_let_go_when_code_begins(told: Told, gate: Gate):
    reader = ValueReader()
    reader.take({"first": pl.DataFrame({"a": [1]})}, 0.0, told)
    assert gate.reached.wait(LONG)
    array = np.zeros(5)
    reader.take({"array": array}, 0.0, told)
    reader.code_begins()
    array.resize(10)  # numpy refuses where anybody else holds the array
    gate.opened.set()
    assert reader.settle(LONG)
    assert told.digests()[1] == {"array": BUSY}


def test_small_values_are_read_at_once_and_count_whatever_comes(told: Told):
    reader = ValueReader()
    array = np.zeros(5)
    digest = fingerprint(array)
    reader.take({"array": array}, 1.0, told)
    array += 1
    reader.code_begins()
    assert reader.settle(LONG)
    assert told.digests() == [{"array": digest}]


def test_what_cannot_be_fingerprinted_says_why(told: Told):
    reader = ValueReader()
    reader.take({"x": np.array([lambda: 1], dtype=object)}, 0.0, told)
    assert reader.settle(LONG)
    (cell,) = told.cells
    assert cell["x"].digest == ""
    assert cell["x"].why.startswith("cannot fingerprint it")


def test_the_reader_goes_on_after_a_value_that_breaks(told: Told):
    class Broken(np.ndarray):
        @property
        def shape(self) -> Any:
            raise RuntimeError("broken")

    reader = ValueReader()
    reader.take({"x": np.zeros(3).view(Broken)}, 0.0, told)
    reader.take({"y": np.zeros(3)}, 0.0, told)
    assert reader.settle(LONG)
    assert told.digests() == [{"x": "RuntimeError: broken"}, {"y": fingerprint(np.zeros(3))}]


def test_the_reader_goes_on_after_a_listener_that_breaks(told: Told):
    reader = ValueReader()
    reader.take({"x": np.zeros(3)}, 0.0, lambda _seen: 1 / 0)
    reader.take({"y": np.zeros(3)}, 0.0, told)
    assert reader.settle(LONG)
    assert (told.digests(), list(reader.faults)) == (
        [{"y": fingerprint(np.zeros(3))}],
        ["ZeroDivisionError: division by zero"],
    )


def test_closing_ends_the_thread_when_all_is_told(told: Told, gate: Gate):
    reader = ValueReader()
    reader.take({"x": pd.Series([1.0])}, 0.0, told)
    assert gate.reached.wait(LONG)
    reader.close()
    gate.opened.set()
    assert reader._worker is not None
    reader._worker.join(LONG)
    assert (reader._worker.is_alive(), told.digests()) == (False, [{"x": fingerprint(pd.Series([1.0]))}])


def test_reading_that_takes_too_long_ends(told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(value_reader, "MOST_SECONDS", -1.0)
    reader = ValueReader()
    reader.take({"x": pd.DataFrame({"a": [1]})}, 0.0, told)
    assert reader.settle(LONG)
    assert told.digests() == [{"x": "reading it took more than -1 seconds"}]


def test_large_frames_that_wait_are_not_kept_alive_without_end(told: Told, gate: Gate, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(value_reader, "MOST_WAITING_BYTES", 100)
    reader = ValueReader()
    for _ in range(2):
        reader.take({"x": pd.DataFrame({"a": range(10)})}, 0.0, told)
    assert gate.reached.wait(LONG)
    gate.opened.set()
    assert reader.settle(LONG)
    digest = fingerprint(pd.DataFrame({"a": range(10)}))
    assert told.digests() == [{"x": digest}, {"x": "busy: too many large frames wait to be read"}]


def test_what_is_too_large_is_not_read():
    wide = pd.DataFrame(np.zeros((1, MOST_COLUMNS + 1)))
    huge = np.broadcast_to(np.zeros(1), (MOST_BYTES,))
    assert too_large(wide) == "it has 10001 columns, more than 10000"
    assert too_large(huge) == "it takes about 32 GiB, more than 4"
    assert too_large(wide.iloc[:, :-1]) == too_large(huge[:5]) == ""


def test_only_what_nothing_can_change_lasts():
    lasting = [pd.DataFrame({"a": [1], "b": ["x"], "c": pd.Categorical(["u"])}), pd.Series([1]), pl.Series([1])]
    changing = [objects(), objects()["a"], pl.Series([object()], dtype=pl.Object)]
    assert [is_lasting(frozen_copy(value)) for value in (*lasting, *changing)] == [True] * 3 + [False] * 3
    assert [frozen_copy(value) for value in (np.zeros(1), pa.table({"a": [1]}))] == [None, None]


def test_a_frame_with_a_column_called_dtype_is_a_frame():
    assert is_lasting(frozen_copy(pd.DataFrame({"dtype": [1]})))


def test_a_model_is_read_at_once_after_a_cell_that_took_long(told: Told):
    reader = ValueReader()
    model = Ridge().fit([[0.0], [1.0]], [0.0, 1.0])
    digest = fingerprint(model)
    reader.take({"model": model}, 60.0, told)
    model.set_params(alpha=2.0)
    reader.code_begins()
    reader.take({"model": model}, 0.0, told)
    assert reader.settle(LONG)
    again = fingerprint(model)
    params = {"copy_X": True, "fit_intercept": True, "max_iter": None, "positive": False, "random_state": None,
              "solver": "auto", "tol": 0.0001}  # fmt: skip
    assert told.cells == [
        {"model": ValueSeen("model", "sklearn.Ridge", (), one, params={"alpha": alpha, **params})}
        for one, alpha in ((digest, 1.0), (again, 2.0))
    ]
    assert digest != again


def test_of_a_models_parameters_the_plain_ones_are_kept():
    model = make_pipeline(StandardScaler(), FunctionTransformer(len, kw_args={"a": "x" * 600}), Ridge(math.nan))
    model.set_params(ridge__solver="x" * 501)
    params = model_params(model)
    assert {name: params.get(name, "left out") for name in ("ridge__max_iter", "standardscaler__with_mean")} == {
        "ridge__max_iter": None,
        "standardscaler__with_mean": True,
    }
    assert [name for name in ("ridge", "steps", "ridge__alpha", "ridge__solver") if name in params] == []


class Notebook:
    """Values of all kinds, which cells change in place."""

    def __init__(self, rows: int) -> None:
        columns = {name: np.arange(rows) * 1.0 for name in "abcd"}
        self.names: dict[str, Any] = {
            "frame": pd.DataFrame(columns | {"text": [str(row) for row in range(rows)]}),
            "series": pd.Series(range(rows)),
            "lists": pd.DataFrame({"a": [[row] for row in range(rows // 20)]}),
            "polars": pl.DataFrame({"a": range(rows)}),
            "array": np.arange(rows * 10.0),
            "small": np.zeros(50),
        }

    def change(self, name: str, row: int) -> None:
        names = self.names
        match name:
            case "frame":
                names[name].loc[row, "a"] += 1.0
                names[name].loc[row + 1, "d"] += 1.0
                names[name].loc[row, "text"] += "x"
            case "series":
                names[name].iloc[row] += 1
            case "lists":
                names[name].loc[row, "a"].append(1)
            case "polars":
                names[name][row, "a"] = -1
            case "array":
                names[name][row] += 1.0
                names[name][-row] += 1.0
            case _:
                names[name].resize(row + 2)  # which numpy refuses as long as somebody holds it


def test_no_fingerprint_is_of_another_state_than_its_cell_left():
    choose, notebook, reader = Random(5), Notebook(20_000), ValueReader()
    truth: list[dict[str, str]] = []
    told = Told()
    for _ in range(120):
        reader.code_begins()
        cell = choose.sample(sorted(notebook.names), 2)
        for name in cell:
            notebook.change(name, choose.randrange(1, 1000))
        truth.append({name: fingerprint(notebook.names[name]) for name in cell})
        reader.take({name: notebook.names[name] for name in cell}, choose.choice([0.0, 0.001, 0.1]), told)
        if choose.random() < 0.3:
            reader.settle(LONG)
    assert reader.settle(LONG)
    read = [{name: one.digest or truth[at][name] for name, one in cell.items()} for at, cell in enumerate(told.cells)]
    assert read == truth
    whys = {one.why for cell in told.cells for one in cell.values()}
    assert whys <= {"", BUSY}
    lasting = {one.why for cell in told.cells for name, one in cell.items() if name in {"frame", "series", "polars"}}
    assert lasting == {""}
