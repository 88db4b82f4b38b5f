"""The state of the global random generators, `random` and `numpy.random`, as it travels from step to step.

A generator is `None` as long as no step has used it: the next step then starts with fresh entropy, as a notebook does.
NumPy is never imported here unless its state has to be put back.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from msgspec import Struct

_NUMPY = "numpy.random"


class RandomState(Struct, frozen=True):
    """The states, as plain tuples; `None` for a generator that nobody used yet."""

    python: tuple[Any, ...] | None = None
    numpy: tuple[Any, ...] | None = None


def capture() -> RandomState:
    """Returns the present states; NumPy's only if it is loaded."""
    return RandomState(random.getstate(), _capture_numpy())


def _capture_numpy() -> tuple[Any, ...] | None:
    if _NUMPY not in sys.modules:
        return None
    import numpy as np

    state = np.random.get_state(legacy=False)
    assert isinstance(state, dict)
    inner = state["state"]
    key = inner.get("key")
    if state["bit_generator"] != "MT19937" or key is None:
        return None  # somebody put another generator in place; it is a value of theirs, not the legacy state
    return ("MT19937", tuple(key.tolist()), int(inner["pos"]), int(state["has_gauss"]), float(state["gauss"]))


def restore(state: RandomState) -> None:
    """Puts the states back; generators that are `None` are left as they are."""
    if state.python is not None:
        version, words, gauss = state.python
        random.setstate((version, tuple(words), gauss))
    if state.numpy is not None:
        import numpy as np

        name, key, pos, has_gauss, gauss = state.numpy
        np.random.set_state((name, np.array(key, dtype=np.uint32), pos, has_gauss, gauss))


def changed(before: RandomState, after: RandomState) -> bool:
    """Returns whether any generator was used between the two; one that was loaded in between counts as used."""
    return before.python != after.python or before.numpy != after.numpy


def carried(entry: RandomState, before: RandomState, after: RandomState) -> RandomState:
    """Returns what the next step starts with: states that somebody used, here or in an earlier step.

    Args:
        entry: What this step was given.
        before: The states when its code began.
        after: The states when it ended.
    """
    python = after.python if entry.python is not None or before.python != after.python else None
    numpy = after.numpy if entry.numpy is not None or before.numpy != after.numpy else None
    return RandomState(python, numpy if numpy is not None else entry.numpy)


def state_to_json(state: RandomState) -> list[Any]:
    """Returns the states as plain data."""
    return [state.python, state.numpy]


def state_from_json(data: list[Any]) -> RandomState:
    """Returns the states that `state_to_json` wrote."""
    python, numpy = (None if item is None else tuple(_frozen(part) for part in item) for item in data)
    return RandomState(python, numpy)


def _frozen(part: Any) -> Any:
    return tuple(part) if isinstance(part, list) else part
