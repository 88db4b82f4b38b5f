"""The fingerprint by which values of a notebook and of its pipeline are known to be the same."""

import functools
import sys
import types
from collections.abc import Iterator
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbmlops.data.fingerprints.fingerprint import CannotFingerprint, fingerprint, fingerprint_for_comparing

HOMES = frozenset({"notebook_main", "churn"})
SOURCE = """
import functools
import numpy as np
import pandas as pd
from enum import Enum

class Box:
    def __init__(self, x):
        self.x = x
    @functools.cached_property
    def double(self):
        return 2 * self.x

class Colour(Enum):
    RED = 1

class Frame(pd.DataFrame):
    pass

class Array(np.ndarray):
    pass

def helper():
    return 1
"""
MAKERS = {
    "an object": lambda home: home.Box(1),
    "a class": lambda home: home.Box,
    "a function": lambda home: home.helper,
    "a member": lambda home: home.Colour.RED,
    "a frame of an own class": lambda home: home.Frame({"a": [1]}),
    "an array of an own class": lambda home: np.arange(3).view(home.Array),
    "a frame of objects": lambda home: pd.DataFrame({"a": [home.Box(1)]}),
    "a dictionary": lambda home: {home.Colour.RED: [home.Box(1)]},
    "a partial": lambda home: functools.partial(home.helper),
}


@pytest.fixture(scope="module")
def homes() -> Iterator[list[Any]]:
    """Modules with the same code: the notebook's, the package's, and somebody else's."""
    made = []
    for name in ("notebook_main", "churn.helpers", "other"):
        module = types.ModuleType(name)
        sys.modules[name] = module
        exec(SOURCE, vars(module))
        made.append(module)
    yield made
    for module in made:
        del sys.modules[module.__name__]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_code_of_the_notebook_is_the_same_in_the_package_and_nowhere_else(homes: list[Any], make: Any) -> None:
    ours, theirs, other = (make(home) for home in homes)
    compared = [fingerprint_for_comparing(value, HOMES) for value in (ours, theirs, other)]
    assert compared[0] == compared[1] != compared[2]
    assert fingerprint(ours) != fingerprint(theirs)


def test_what_reading_leaves_does_not_count_but_everything_else_does(homes: list[Any]) -> None:
    read, unread, other = homes[0].Box(1), homes[0].Box(1), homes[0].Box(2)
    assert read.double == 2
    assert fingerprint_for_comparing(read, HOMES) == fingerprint_for_comparing(unread, HOMES)
    assert fingerprint_for_comparing(other, HOMES) != fingerprint_for_comparing(unread, HOMES)
    assert fingerprint(read) != fingerprint(unread)


class Colour(Enum):
    RED = 1


@pytest.mark.parametrize("value", [1, [1, [2]], {"a": Colour.RED}, np.arange(3), pd.DataFrame({"a": [1]})])
def test_the_comparing_fingerprint_changes_with_the_value(value: Any) -> None:
    assert fingerprint_for_comparing(value, HOMES) == fingerprint_for_comparing(value, HOMES)
    assert fingerprint_for_comparing([value], HOMES) != fingerprint_for_comparing(value, HOMES)


def test_a_function_without_a_name_has_none() -> None:
    with pytest.raises(CannotFingerprint, match="cannot fingerprint value"):
        fingerprint_for_comparing(lambda: 1, HOMES)
