from __future__ import annotations

import os
import sys

import pytest

from nbmlops.app.commands import run_command
from nbmlops.core.errors import EnvironmentFault


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["-c", "import sys; print('one\\ntwo', file=sys.stderr); sys.exit(3)"], "it cannot be made: two"),
        (["-c", "print('said'); raise SystemExit(1)"], "it cannot be made: said"),
        (["-c", "raise SystemExit(7)"], "it cannot be made: exit code 7"),
    ],
)
def test_a_program_that_fails_is_told_with_its_last_words(command: list[str], message: str) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        run_command([sys.executable, *command], os.environ, 60, "it cannot be made", "look")
    assert (caught.value.message, caught.value.hint) == (message, "look")


def test_a_program_that_is_not_there_or_takes_too_long_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EnvironmentFault, match=r"it cannot be made: .*no-such-program"):
        run_command(["no-such-program"], os.environ, 60, "it cannot be made", "look")
    with pytest.raises(EnvironmentFault, match=r"timed out after 0\.2 seconds"):
        run_command([sys.executable, "-c", "import time; time.sleep(30)"], os.environ, 0.2, "it cannot be made", "look")
    run_command([sys.executable, "-c", "print('quiet')"], os.environ, 60, "it cannot be made", "look")
    assert capfd.readouterr() == ("", "")
