from __future__ import annotations

import pytest

from nbmlops.analysis.proposing.proposal import StepsFrom
from nbmlops.cli.options import WAYS_TO_STEPS, wants


def test_the_ways_to_steps_are_those_that_there_are() -> None:
    assert list(WAYS_TO_STEPS) == [way.value for way in StepsFrom]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["inspect", "a.ipynb", "--format", "json"], True),
        (["inspect", "--format=json"], True),
        (["inspect", "json", "--format", "text"], False),
        (["inspect", "--format"], False),
    ],
)
def test_who_asks_for_json(arguments: list[str], wanted: bool) -> None:
    assert wants("json", arguments) is wanted
