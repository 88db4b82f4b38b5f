from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from nbmlops.runtime.ambient.random_state import (
    RandomState,
    capture,
    carried,
    changed,
    restore,
    state_from_json,
    state_to_json,
)
from nbmlops.runtime.handover import plain_text


@pytest.fixture(autouse=True)
def _generators_as_before() -> Iterator[None]:
    before = capture()
    yield
    restore(before)


def draw() -> tuple[float, float, float]:
    return random.gauss(0, 1), float(np.random.rand()), float(np.random.normal())


def test_a_restored_state_draws_the_same_numbers_also_after_a_trip_through_text() -> None:
    draw()
    state = capture()
    drawn = draw()
    assert changed(state, capture())
    text = plain_text.to_text(state_to_json(state))
    data = plain_text.from_text(text)
    assert isinstance(data, list)
    assert state_from_json(data) == state
    restore(state_from_json(data))
    assert not changed(state, capture())
    assert draw() == drawn


def test_only_generators_that_somebody_used_travel() -> None:
    nothing, before = RandomState(), capture()
    assert carried(nothing, before, before) == nothing
    random.random()
    after = capture()
    assert carried(nothing, before, after) == RandomState(python=after.python)
    assert carried(after, before, before) == before
    assert carried(RandomState(numpy=after.numpy), before, before) == RandomState(numpy=before.numpy)


def test_numpy_is_not_imported_to_look() -> None:
    program = (
        "import sys\nfrom nbmlops.runtime.ambient.random_state import *\n"
        "restore(capture())\nprint('numpy' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
