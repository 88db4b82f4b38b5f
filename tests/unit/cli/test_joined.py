from __future__ import annotations

import pytest

from nbmlops.cli.joined import joined_text
from nbmlops.pipeline.run_record import JoinedSteps, LiveValue


@pytest.mark.parametrize(
    ("steps", "names", "text"),
    [
        ("ab", "g", "steps a and b run in one process: `g` (map) cannot be stored"),
        ("abc", "gh", "steps a, b and c run in one process: `g` (map) and `h` (map) cannot be stored"),
        (
            "ab",
            "ghijk",
            "steps a and b run in one process: `g` (map), `h` (map), `i` (map) and 2 more cannot be stored",
        ),
    ],
)
def test_joined_steps_and_their_reasons_are_one_line(steps: str, names: str, text: str) -> None:
    values = tuple(LiveValue(name, "map", "cannot pickle 'map' object") for name in names)
    assert joined_text(JoinedSteps(tuple(steps), values)) == text
