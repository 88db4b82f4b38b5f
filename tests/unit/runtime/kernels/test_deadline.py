from __future__ import annotations

import signal
import subprocess
import sys
import time

from nbmlops.runtime.kernels.deadline import Deadline

STUBBORN = "import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nprint(flush=True)\ntime.sleep(60)"


def test_a_process_that_ignores_signals_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with Deadline(0.05, lambda: process.pid, grace=0.05) as deadline:
            deadline.begin()
            deadline.begin()
            assert process.wait(timeout=30) == -signal.SIGKILL
    assert deadline.has_passed


def test_what_is_done_in_time_is_left_alone() -> None:
    asked: list[None] = []
    with Deadline(30.0, lambda: asked.append(None)) as deadline:
        deadline.begin()
    with Deadline(None, lambda: asked.append(None)) as endless:
        endless.begin()
    with Deadline(0.01, lambda: asked.append(None)) as unbegun:
        time.sleep(0.05)
    assert [deadline.has_passed, endless.has_passed, unbegun.has_passed, asked] == [False, False, False, []]
