from __future__ import annotations

import os
import subprocess
import sys

from msgspec.structs import replace

from nbmlops.tracking.process import is_gone, this_process


def test_this_process_is_not_gone() -> None:
    mark = this_process()
    assert mark.pid == os.getpid()
    assert not is_gone(mark)


def test_a_process_that_ended_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert is_gone(replace(this_process(), pid=child.pid, start=""))


def test_a_number_that_was_given_away_again_is_another_process() -> None:
    mark = this_process()
    assert is_gone(replace(mark, start="another start")) is bool(mark.start)


def test_what_cannot_be_told_from_here_is_not_gone() -> None:
    mark = this_process()
    assert not is_gone(replace(mark, pid=2**22 + 1, host="another machine"))
    assert not is_gone(replace(mark, pid=0))
    assert not is_gone(replace(mark, pid=10**30))
