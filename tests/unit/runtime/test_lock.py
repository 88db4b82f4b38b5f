from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nbmlops.core.errors import Conflict, EnvironmentFault
from nbmlops.runtime.lock import locked


def test_a_second_run_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    waits: list[str] = []
    path = tmp_path / "state" / "run.lock"
    first, second = locked(path, "2026-01-02T03:04:05", 0.0, print), locked(path, "later", 0.3, waits.append)
    with first, pytest.raises(Conflict) as caught, second:
        pass
    holder = f"process {os.getpid()}, since 2026-01-02T03:04:05"
    assert caught.value.message == f"another run of this pipeline is going on ({holder})"
    assert waits == [holder]


def test_a_second_run_waits_for_the_first(tmp_path: Path) -> None:
    path, order = tmp_path / "run.lock", []

    def first() -> None:
        with locked(path, "1", 0.0, order.append):
            started.set()
            time.sleep(0.4)
            order.append("first")

    started = threading.Event()
    thread = threading.Thread(target=first)
    thread.start()
    started.wait()
    with locked(path, "2", 10.0, lambda holder: None):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom nbmlops.runtime.lock import locked\n"
        "with locked(Path(sys.argv[1]), '1', 0.0, print):\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == -9
    assert path.exists()
    with locked(path, "2", 0.0, lambda holder: None):
        pass


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="cannot make"), locked(tmp_path / "file" / "x", "1", 0.0, print):
        pass


def test_runs_of_single_steps_share_the_lock_and_keep_others_out(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    one, two = (locked(path, name, 0.0, print, shared=True) for name in "12")
    with one, two, pytest.raises(Conflict), locked(path, "3", 0.0, lambda holder: None):
        pass
    with locked(path, "4", 0.0, print), pytest.raises(Conflict), locked(path, "5", 0.0, print, shared=True):
        pass
