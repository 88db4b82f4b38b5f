"""Leases: what counts, what excludes what, and what happens where the file system has no locks."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nbmlops.core.errors import Conflict
from nbmlops.runtime import leases
from nbmlops.runtime.leases import INTERVAL, MISSED, Lease, conflicts, holds, leased
from nbmlops.runtime.lock import locked
from nbmlops.tracking.process import ProcessMark, this_process

HERE, ELSEWHERE = this_process(), ProcessMark(7, "another machine", "boot 1")
STALE = INTERVAL * MISSED + 1


@pytest.mark.parametrize(
    ("holder", "age", "expected"),
    [
        (HERE, 0.0, True),
        (HERE, STALE, False),
        (ELSEWHERE, INTERVAL * MISSED, True),
        (ELSEWHERE, STALE, False),
        (ELSEWHERE, -3600.0, True),
        (ProcessMark(2**22 + 1, HERE.host, HERE.start), 0.0, False),
        (ProcessMark(HERE.pid, HERE.host, "an earlier boot 1"), 0.0, False),
        (ProcessMark(0, ""), 0.0, True),
    ],
)
def test_a_lease_counts_while_its_holder_lives_and_its_heart_beats(
    holder: ProcessMark, age: float, expected: bool
) -> None:
    assert holds(Lease(holder, "1", shared=False), age) is expected


def test_only_shared_leases_go_together() -> None:
    one, two = (Lease(HERE, name, shared=True) for name in "12")
    alone = Lease(ELSEWHERE, "3", shared=False)
    assert conflicts(one, [two]) is None
    assert conflicts(one, [two, alone]) == alone
    assert conflicts(alone, [one, two]) == one
    assert conflicts(alone, []) is None


@pytest.fixture(params=[errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(handle: int, how: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.usefixtures("no_locks")
def test_without_locks_a_second_run_is_told_who_holds_the_lease(tmp_path: Path) -> None:
    path, waits = tmp_path / "state" / "run.lock", list[str]()
    with locked(path, "2026", 0.0, print):
        with pytest.raises(Conflict) as caught, locked(path, "later", 0.3, waits.append):
            pass
        assert len(list((tmp_path / "state" / "run.lock.leases").iterdir())) == 1
    assert caught.value.message == f"another run of this pipeline is going on (process {os.getpid()}, since 2026)"
    assert waits == [f"process {os.getpid()}, since 2026"]
    assert list((tmp_path / "state" / "run.lock.leases").iterdir()) == []
    with locked(path, "1", 0.0, print, shared=True), locked(path, "2", 0.0, print, shared=True):
        pass


@pytest.mark.usefixtures("no_locks")
def test_without_locks_one_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def hold(number: int) -> None:
        with locked(tmp_path / "run.lock", str(number), 30.0, lambda holder: None):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.02)
            inside.remove(number)

    threads = [threading.Thread(target=hold, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_the_lease_of_a_killed_holder_does_not_count(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom nbmlops.runtime.leases import *\n"
        "from nbmlops.tracking.process import this_process\n"
        "with leased(Path(sys.argv[1]), Lease(this_process(), '1', False), 0.0, print):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    with leased(tmp_path, Lease(HERE, "2", shared=False), 0.0, print):
        assert len(list(tmp_path.iterdir())) == 1


def test_a_heart_that_beats_keeps_a_lease_and_brings_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "INTERVAL", 0.02)
    with leased(tmp_path, Lease(HERE, "1", shared=False), 0.0, print):
        (path,) = tmp_path.iterdir()
        os.utime(path, (1, 1))
        _until(lambda: path.stat().st_mtime > 1)
        path.unlink()
        _until(path.exists)
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_can_read_counts_until_it_is_old(tmp_path: Path) -> None:
    broken = tmp_path / "x.lease"
    broken.write_text("{")
    with (
        pytest.raises(Conflict, match="process 0, since an unknown time"),
        leased(tmp_path, Lease(HERE, "1", shared=False), 0.0, print),
    ):
        pass
    os.utime(broken, (1, 1))
    with leased(tmp_path, Lease(HERE, "2", shared=False), 0.0, print):
        assert not broken.exists()


def _until(done: object) -> None:
    assert callable(done)
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)
