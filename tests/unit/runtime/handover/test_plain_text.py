from __future__ import annotations

import math
import struct
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbmlops.runtime.handover.plain_text import NotPlain, from_text, to_text

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
KEYS = st.text(st.characters(exclude_categories=["Cs"])) | st.integers() | st.booleans() | st.binary() | st.none()
PLAIN = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)


def typed(value: Any) -> Any:
    """Makes types and order count in comparisons."""
    if isinstance(value, list | tuple):
        return type(value).__name__, [typed(item) for item in value]
    if isinstance(value, dict):
        return "dict", [(typed(key), typed(item)) for key, item in value.items()]
    return type(value).__name__, repr(value)


@given(PLAIN)
def test_plain_values_come_back_with_types_and_order(value: object) -> None:
    assert typed(from_text(to_text(value))) == typed(value)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -0.0, {"$tuple": 1}, {"$": {"$dict": [[]]}}, 10**1000]
)
def test_what_json_cannot_say_is_tagged(value: object) -> None:
    assert typed(from_text(to_text(value))) == typed(value)


def test_each_nan_is_the_object_that_it_was() -> None:
    again: Any = from_text(to_text([math.nan, np.nan, float("nan"), float("nan")]))
    assert again[0] is math.nan  # noqa: PLW0177 - the object is meant
    assert again[1] is np.nan  # noqa: PLW0177 - as above
    assert len({id(number) for number in again}) == 4


class Text(str):
    """A text of its own type."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({1}, "a set"),
        (date(2020, 1, 1), "a date"),
        (Text("x"), "a Text"),
        ("\ud800", "a text with lone surrogates"),
        ({"\udc00": 1}, "a text with lone surrogates"),
        (1 << 5000, "a very large int"),
        (struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf8\x7f")[0], "a NaN with a payload"),
    ],
)
def test_everything_else_is_refused(value: object, reason: str) -> None:
    with pytest.raises(NotPlain, match=f"^{reason}$"):
        to_text([value])


def test_deep_nesting_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotPlain, match="nested too deeply"):
        to_text(value)
