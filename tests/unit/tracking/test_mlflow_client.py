"""The door to MLflow: what it puts right of what importing MLflow does to a process."""

from __future__ import annotations

import subprocess
import sys

WAIT = """
import os, signal, threading
from nbmlops.tracking.mlflow_client import let_signals_interrupt

signal.siginterrupt(signal.SIGINT, False)  # as polars does when it is imported
let_signals_interrupt()
lock = threading.Lock()
lock.acquire()
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    print("waited", lock.acquire(timeout=30))
except KeyboardInterrupt:
    print("heard")
"""


def test_ctrl_c_cuts_a_wait_short_again() -> None:
    done = subprocess.run([sys.executable, "-c", WAIT], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("heard\n", "")
