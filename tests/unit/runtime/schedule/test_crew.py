"""Waiting for the steps of a run."""

from __future__ import annotations

import subprocess
import sys

WAIT = """
import os, signal, threading
from pathlib import Path
from nbmlops.runtime.schedule.crew import Crew

signal.siginterrupt(signal.SIGINT, False)  # as polars does when it is imported
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
threading.Timer(30, os._exit, (9,)).start()
try:
    Crew("run", None, None, {}, {}, None).hear()
except KeyboardInterrupt:
    print("heard", flush=True)
    os._exit(0)
"""


def test_ctrl_c_is_heard_where_waits_are_restarted_after_signals() -> None:
    done = subprocess.run([sys.executable, "-c", WAIT], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("heard\n", "")
