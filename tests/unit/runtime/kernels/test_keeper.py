from __future__ import annotations

import os
import signal
import subprocess
import sys

from nbmlops.runtime.kernels.keeper import end_group

PROGRAM = """
import os, signal, subprocess
from nbmlops.runtime.kernels.keeper import Keeper
keeper = Keeper()
kept = subprocess.Popen(["sleep", "300"], start_new_session=True)
released = subprocess.Popen(["sleep", "300"], start_new_session=True, stdout=subprocess.DEVNULL)
for child in (kept, released):
    keeper.keep(child.pid)
keeper.release(released.pid)
print(released.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_groups_of_a_killed_process_are_ended_and_released_ones_are_not() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as runner:
        out, _ = runner.communicate(timeout=30)  # the end of the text comes when the kept one, which holds it, is gone
    released = int(out)
    os.kill(released, 0)
    end_group(released)
    assert runner.returncode == -signal.SIGKILL


def test_a_group_that_is_gone_can_be_ended_again() -> None:
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as process:
        end_group(process.pid)
    end_group(process.pid)
    assert process.returncode == -signal.SIGKILL
