from __future__ import annotations

import datetime as dt
import threading
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbmlops.runtime.handover.sharing import CannotStore, Walk, shared_groups, sharing_signature


def groups(**values: Any) -> set[tuple[str, ...]]:
    return set(shared_groups({name: Walk(value) for name, value in values.items()}))


def test_names_that_share_something_mutable_are_one_group() -> None:
    rows, grid, frame = [1], np.zeros((3, 3)), pd.DataFrame({"a": [1]})
    assert groups(a=rows, b=rows) == {("a", "b")}
    assert groups(a=rows, b={"k": (rows,)}, c=[1]) == {("a", "b"), ("c",)}
    assert groups(a=grid, b=grid.T, c=grid[2:], d=grid.copy()) == {("a", "b", "c"), ("d",)}
    assert groups(a=grid[:1], b=grid[2:]) == {("a",), ("b",)}
    assert groups(a=frame, b=frame, c=frame.copy()) == {("a", "b"), ("c",)}


def test_what_cannot_change_is_not_shared() -> None:
    constant = (
        "text",
        1.5,
        dt.date(2020, 1, 1),
        Path("x"),
        frozenset({1}),
        np.float64(1),
        pd.Index([1]),
        np.dtype("f8"),
    )
    assert groups(a=constant, b=list(constant), c=len, d=Path) == {("a",), ("b",), ("c",), ("d",)}


def test_frames_that_share_blocks_are_apart_because_they_copy_on_write() -> None:
    frame = pd.DataFrame({"a": [1.0], "b": [2.0]})
    assert groups(a=frame, b=frame[["a"]], c=frame["b"]) == {("a",), ("b",), ("c",)}


def test_lists_in_cells_are_shared() -> None:
    cell = [1]
    frame = pd.DataFrame({"a": [cell, "x"]})
    assert groups(a=frame, b=cell, c=pd.DataFrame({"a": ["x", "y"]}, dtype=object)) == {("a", "b"), ("c",)}


def test_the_signature_tells_how_names_share_and_not_where_they_are() -> None:
    def signature(pair: tuple[Any, Any]) -> Any:
        return sharing_signature(["a", "b"], {"a": Walk(pair[0]), "b": Walk(pair[1])})

    def inner_is_first() -> tuple[Any, Any]:
        inner = [1]
        return [inner, [1]], inner

    def inner_is_second() -> tuple[Any, Any]:
        inner = [1]
        return [[1], inner], inner

    def column(number: int) -> tuple[Any, Any]:
        grid = np.zeros((3, 3))
        return grid, grid[:, number]

    assert signature(inner_is_first()) == signature(inner_is_first())
    assert signature(inner_is_first()) != signature(inner_is_second())
    assert signature(column(1)) == signature(column(1))
    assert signature(column(1)) != signature(column(2))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (threading.Lock(), "cannot pickle '_thread.lock' object"),
        ((number for number in []), "cannot pickle 'generator' object"),
        (types.ModuleType("made"), "cannot pickle 'module' object"),
        ([[lambda: 1]], "Can't pickle"),
    ],
    ids=["lock", "generator", "module", "lambda"],
)
def test_what_cannot_be_pickled_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(CannotStore, match=reason):
        Walk([value])


def test_a_list_that_holds_itself_is_walked_once() -> None:
    value: list[Any] = [1]
    value.append(value)
    walk = Walk(value)
    assert (len(walk.objects), walk.repeated) == (1, True)


def test_too_deep_a_value_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(CannotStore, match="nested too deeply"):
        Walk(value)
