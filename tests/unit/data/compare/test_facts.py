"""What is true of a value besides its content, and that two sides can differ in nothing else."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbmlops.data.compare.facts import facts_of

HOMES = frozenset({"__main__"})


def grown(*items: int) -> set[int]:
    """A set with a history: its order of iteration is not that of its items."""
    made = set(range(100))
    for item in set(range(100)) - set(items):
        made.discard(item)
    return made


def framed(**attrs: object) -> pd.DataFrame:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs.update(attrs)
    return frame


@pytest.mark.parametrize(
    ("value", "facts"),
    [
        (1, {}),
        ([1, {"a": 2}], {}),
        (np.zeros((2, 2), order="F"), {"layout": "columns first", "writeable": "True"}),
        ({"k": np.zeros(2)}, {"['k'] layout": "rows first", "['k'] writeable": "True"}),
        (
            framed(unit="m"),
            {
                "attrs": "{'unit': 'm'}",
                "duplicate labels": "True",
                "index class": "RangeIndex",
                "columns class": "Index",
            },
        ),
        (pd.date_range("2024-01-01", periods=2), {"class": "DatetimeIndex", "frequency": "D"}),
    ],
)
def test_facts(value: Any, facts: dict[str, str]) -> None:
    assert facts_of(value, HOMES) == facts


def test_the_order_of_a_set_is_a_fact() -> None:
    one, other = facts_of({8, 0}, HOMES), facts_of(grown(0, 8), HOMES)
    assert one.keys() == other.keys() == {"order of iteration"}
    assert list({8, 0}) != list(grown(0, 8))
    assert one != other
