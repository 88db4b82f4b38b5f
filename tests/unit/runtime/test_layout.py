from __future__ import annotations

import pytest

from nbmlops.runtime.layout import is_foreign


@pytest.mark.parametrize(
    ("owner", "mode", "me", "foreign"),
    [
        (1000, 0o700, 1000, False),
        (1000, 0o777, 1000, False),  # file systems of other systems show this for everything
        (0, 0o755, 1000, False),
        (1001, 0o755, 1000, True),
        (1001, 0o777, 1000, True),
        (1000, 0o755, 0, False),
        (1000, 0o777, 0, True),
    ],
)
def test_state_of_another_user_is_not_trusted(owner: int, mode: int, me: int, foreign: bool) -> None:
    assert is_foreign(owner, mode, me) is foreign
